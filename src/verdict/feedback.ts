import type { Anomaly } from "./anomaly.ts";

export const judgements = ["confirmed", "false-alarm", "undone"] as const;
/** `undone`: as if nothing had been said. */
export type FeedbackJudgement = (typeof judgements)[number];

/** What a person says of a verdict; the newest of one verdict holds. */
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

/** @param said `at` in milliseconds. */
export function feedbackOn(
  { event, logguardian }: Anomaly,
  said: Pick<Feedback, "judgement" | "at" | "by" | "note" | "until">,
): Feedback {
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
