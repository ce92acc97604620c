import type { Anomaly } from "./anomaly.ts";

export const judgements = ["confirmed", "false-alarm", "undone"] as const;
/** `undone`: as if nothing had been said. */
export type FeedbackJudgement = (typeof judgements)[number];

/** What a person says of a verdict; the newest of one verdict holds: see `holdsAgainst`. */
export interface Feedback {
  /** Of the verdict. */
  id: string;
  pipeline: string;
  fingerprint: string;
  judgement: FeedbackJudgement;
  /** Milliseconds. */
  at: number;
  /** Name of the token, or of the user of the command. */
  by: string;
  note?: string;
  /** When a false alarm's fingerprint alerts again, milliseconds; where it is absent, with another bundle. */
  until?: number;
  model: { name: string; version: string };
  /** Training data, however long the anomalies topic keeps the window. */
  lines: FeedbackLine[];
}

export interface FeedbackLine {
  text: string;
  masked: string;
}

export type Saying = Pick<Feedback, "judgement" | "at" | "by" | "note" | "until">;

/** @param said `at` in milliseconds. */
export function feedbackOn({ event, logguardian }: Anomaly, said: Saying): Feedback {
  const { pipeline, fingerprint = "none", model, lines } = logguardian;
  return {
    id: event.id,
    pipeline,
    fingerprint,
    ...said,
    model,
    lines: lines.map(({ text, masked }) => ({ text, masked })),
  };
}

/**
 * Of a verdict that is forgotten, which a false alarm may outlive.
 * @param before what was said of it, with its lines where they are known.
 */
export function feedbackAgain(
  {
    id,
    pipeline,
    fingerprint,
    model,
    lines = [],
  }: Omit<Feedback, "lines"> & Partial<Pick<Feedback, "lines">>,
  said: Saying,
): Feedback {
  return { id, pipeline, fingerprint, ...said, model, lines };
}

/** Of two things that were said of one verdict: the later holds, and at one time the one that is read later. */
export function holdsAgainst(
  { at }: Pick<Feedback, "at">,
  before: Pick<Feedback, "at"> | undefined,
): boolean {
  return before === undefined || at >= before.at;
}

/** When something is said that is to hold: clocks differ, and that of who spoke before may be ahead. */
export function timeAfter(before: Pick<Feedback, "at"> | undefined): number {
  return Math.max(Date.now(), before === undefined ? 0 : before.at + 1);
}
