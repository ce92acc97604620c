/** How verdicts compare with labels. */
export interface Counts {
  truePositives: number;
  falsePositives: number;
  trueNegatives: number;
  falseNegatives: number;
  /** Windows that the model could not judge; they count as not flagged. */
  undecided: number;
}

/** null is a figure that does not exist: its denominator is 0. */
export interface Metrics {
  precision: number | null;
  recall: number | null;
  f1: number | null;
  accuracy: number | null;
}

export function emptyCounts(): Counts {
  return { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0, undecided: 0 };
}

export function count(counts: Counts, flagged: boolean, anomalous: boolean, weight = 1): void {
  if (flagged) counts[anomalous ? "truePositives" : "falsePositives"] += weight;
  else counts[anomalous ? "falseNegatives" : "trueNegatives"] += weight;
}

/** Nothing flagged is no precision; nothing anomalous is neither recall nor F1. */
export function metricsOf({ truePositives, falsePositives, trueNegatives, falseNegatives }: Counts): Metrics {
  const anomalous = truePositives + falseNegatives;
  return {
    precision: share(truePositives, truePositives + falsePositives),
    recall: share(truePositives, anomalous),
    f1: anomalous === 0 ? null : share(2 * truePositives, truePositives + falsePositives + anomalous),
    accuracy: share(truePositives + trueNegatives, anomalous + falsePositives + trueNegatives),
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
