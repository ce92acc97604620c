export const verdictNames = ["normal", "anomalous", "undecided"] as const;
/** `undecided`: the model could not be asked. */
export type VerdictName = (typeof verdictNames)[number];

/** The model's answer to one window. */
export interface Judgement {
  verdict: VerdictName;
  /** Calibrated probability that the window is anomalous; null only when undecided. */
  score: number | null;
  /** logit(" anomalous") - logit(" normal"); null only when undecided. */
  margin: number | null;
  logits: { normal: number; anomalous: number } | null;
  threshold: number;
  /** How many of the window's lines the model saw: fewer than all where the window exceeds the bundle's limit. */
  linesScored: number;
  /** Weight of each scored line in the verdict; only where weights were computed (anomalous windows). */
  weights?: number[];
  /**
   * How unlike all lines of training the most unlike of the scored lines is, 0 to 2; absent where the bundle does not
   * tell its training lines, or the window is undecided. It never changes the verdict.
   */
  novelty?: number;
  /** The same for each scored line. */
  lineNovelties?: number[];
  /** The model's own words, on request. */
  answer?: string;
  /** Why the window is undecided: a stable code. */
  reason?: string;
}
