import type { Feedback } from "../verdict/feedback.ts";

/** A fingerprint that does not alert, since somebody called a verdict with it a false alarm. */
export interface Suppression {
  fingerprint: string;
  /** The verdict, who said it and when (milliseconds). */
  id: string;
  by: string;
  at: number;
  note?: string;
  /** Milliseconds. Without it, until another bundle judges. */
  until?: number;
  /** The bundle that was wrong: see `modelName`. */
  model: string;
  /** When the alerter heard of it, milliseconds. */
  appliedAt: number;
  /** Windows that did not alert, and when the last of them came. */
  times: number;
  lastSeen?: number;
}

export function modelName({ name, version }: { name: string; version: string }): string {
  return `${name} ${version}`;
}

/** Whether an anomaly of its fingerprint, judged by this bundle, is kept quiet. */
export function isInForce({ until, model }: Suppression, judgedBy: string, now: number): boolean {
  return model === judgedBy && (until === undefined || now < until);
}

/** What people said of fingerprints, of one pipeline: read from the feedback topic, and always readable again. */
export interface Suppressions {
  /** Where to read on in a partition of the feedback topic; from its start where this is lost, or belongs to a former topic. */
  begin(partition: number, log: { start: number; end: number }): Promise<number>;
  /**
   * Takes in what stood between two offsets. Of one verdict the newest holds (see `holdsAgainst`), under the fingerprint that
   * the verdict had then; of several verdicts with one fingerprint, the one that was said last.
   * @returns whether `from` is where it was read to; else nothing was changed, and another one reads, or the state was lost.
   */
  apply(
    read: { partition: number; from: number; to: number; feedback: readonly Feedback[] },
    now: number,
  ): Promise<boolean>;
  /** Whether a partition was read to `at` and no further. @param isEnd where nothing more stands now. */
  isAt(partition: number, at: number, isEnd: boolean): Promise<boolean>;
  /** Whether so many partitions were read to their end since the state exists. */
  isRead(partitions: number): Promise<boolean>;
  /** By fingerprint, whether in force or not. */
  list(): Promise<Suppression[]>;
}
