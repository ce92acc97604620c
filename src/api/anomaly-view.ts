import type { IndexedAnomaly, StatedFeedback } from "./anomaly-index.ts";
import type { AnomalyView } from "./anomaly-schemas.ts";

/** As callers see it. */
export function viewOf({ summary, feedback }: IndexedAnomaly): AnomalyView {
  return { ...summary, feedback: feedbackView(feedback) };
}

export function feedbackView(said: StatedFeedback | undefined): AnomalyView["feedback"] {
  if (said === undefined || said.judgement === "undone") return null;
  const { judgement, at, by, note = null, until } = said;
  return { judgement, at: isoOf(at), by, note, until: until === undefined ? null : isoOf(until) };
}

export function isoOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
