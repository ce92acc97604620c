import type { Window } from "../window/window.ts";

/** `undecided`: the model could not be asked. */
export type VerdictName = "normal" | "anomalous" | "undecided";

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
  /** Generated answer text, on request. */
  answer?: string;
  /** Why the window is undecided: a stable code. */
  reason?: string;
}

/** What leaves the detector: a window, its judgement and its fingerprint. */
export interface Verdict extends Judgement {
  window: Window;
  model: { name: string; version: string };
  /** What makes two anomalies "the same again": pipeline and the masked lines that weigh most. */
  fingerprint?: string;
}
