import { LogGuardianError } from "../errors.ts";
import type { Anomaly } from "../verdict/anomaly.ts";
import type { Feedback } from "../verdict/feedback.ts";
import type { AnomalySummary } from "./anomaly-schemas.ts";

export type { AnomalySummary } from "./anomaly-schemas.ts";

/** What a person said, without the window's lines. */
export type StatedFeedback = Omit<Feedback, "lines">;

export interface IndexedAnomaly {
  summary: AnomalySummary;
  /** The newest; `undone` is none. */
  feedback?: StatedFeedback;
}

/** A revision of a verdict on its way into the index. */
export interface IndexEntry {
  id: string;
  /** Of revisions of one id the highest holds. */
  rank: number;
  /** When its verdict was published, milliseconds: by this it is forgotten. */
  at: number;
  /** It says that there is nothing: of interest only where its id is held. */
  isOnlyNews: boolean;
  /** Under which names it is found: see `placesOf`. */
  places: readonly string[];
  summary: AnomalySummary;
  document: Anomaly;
}

/** Places of one name, from the newest backwards. */
export interface PlaceRange {
  /** Such as `p:hdfs`. */
  name: string;
  /** Event time of the window's end, milliseconds, both inclusive. */
  from?: number;
  to?: number;
  /** Only what comes behind this place. */
  after?: string;
}

export interface Placed extends IndexedAnomaly {
  /** Time and id: where a list goes on. */
  place: string;
}

/** Where a listener is: numbers mean something within one incarnation only. */
export interface ChangePoint {
  incarnation: string;
  number: number;
}

/**
 * What was found, by time, fingerprint, origin and pipeline, with what people say of it. Numbers and entries mean something
 * within one incarnation, which is another one after the index was lost, or a part of it.
 */
export interface AnomalyIndex {
  /** Of what is held; makes a new one where there is none, or where it is not whole. */
  incarnation(): Promise<string>;
  /** Takes in what is newer than what is held. @throws LogGuardianError LG_INDEX_LOST where another incarnation is held. */
  put(entries: readonly IndexEntry[], incarnation: string): Promise<void>;
  /** Likewise; without an incarnation, whichever is held. It is held whether or not its anomaly is, and never trimmed. */
  say(feedback: readonly StatedFeedback[], incarnation?: string): Promise<void>;
  page(range: PlaceRange, limit: number): Promise<Placed[]>;
  get(id: string): Promise<(IndexedAnomaly & { document: Anomaly }) | undefined>;
  /** What changed behind a point, oldest first; of an anomaly the newest change alone. Without a point, where all stands now. */
  changes(
    after: ChangePoint | undefined,
    limit: number,
  ): Promise<{ now: ChangePoint; changed: (IndexedAnomaly & { number: number })[] }>;
  /** What was said of an anomaly, also of one that is forgotten. */
  said(id: string): Promise<StatedFeedback | undefined>;
  /**
   * What was said last of a fingerprint in its pipeline, and not taken back, where that is a false alarm: by the rule that the
   * alerter goes by (src/redis/lua/what-holds.lua).
   */
  falseAlarm(of: Pick<StatedFeedback, "pipeline" | "fingerprint">): Promise<StatedFeedback | undefined>;
  /** Of all fingerprints. */
  falseAlarms(): Promise<StatedFeedback[]>;
  /** Forgets what is too old, or too much, oldest first. @param now milliseconds. */
  trim(now: number): Promise<void>;
  size(): Promise<{ anomalies: number; bytes: number }>;
}

/** One that is filled from topics, and can be filled again. It tells how far, as what it took last may be lost. */
export interface TopicIndex extends AnomalyIndex {
  /** Up to which offset a partition of a topic was taken in. */
  readTo(partition: string): Promise<number | undefined>;
  /**
   * After what lies between was taken in.
   * @throws LogGuardianError LG_INDEX_LOST where another incarnation is held, or one that was not read to `from`.
   */
  advance(
    partition: string,
    step: { from: number | undefined; to: number },
    incarnation: string,
  ): Promise<void>;
}

export interface IndexLimits {
  retentionMs: number;
  maxBytes: number;
}

/** What an entry weighs beside its summary and document. */
export const entryOverheadBytes = 800;

export function indexLost(): LogGuardianError {
  return new LogGuardianError(
    "LG_INDEX_LOST",
    "The index of anomalies was lost, or what it took last, or it was made anew, meanwhile.",
    "It is filled again from its topics.",
  );
}
