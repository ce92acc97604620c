import type { Judgement } from "../classify/judgement.ts";
import type { Window } from "../window/window.ts";

/** What leaves the detector: a window, its judgement and its fingerprint. */
export interface Verdict extends Judgement {
  window: Window;
  model: { name: string; version: string };
  /** What makes two anomalies "the same again": pipeline and the masked lines that weigh most. */
  fingerprint?: string;
}
