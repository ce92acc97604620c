/** How verdicts compare with labels. */
export interface Counts {
  truePositives: number;
  falsePositives: number;
  trueNegatives: number;
  falseNegatives: number;
  /** Windows that the model could not judge; they count as not flagged. */
  undecided: number;
}

export interface Metrics {
  precision: number;
  recall: number;
  f1: number;
  accuracy: number;
}

export function emptyCounts(): Counts {
  return { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0, undecided: 0 };
}

export function count(counts: Counts, flagged: boolean, anomalous: boolean): void {
  if (flagged) counts[anomalous ? "truePositives" : "falsePositives"]++;
  else counts[anomalous ? "falseNegatives" : "trueNegatives"]++;
}

/** What has no denominator is 0: nothing flagged is no precision. */
export function metricsOf({ truePositives, falsePositives, trueNegatives, falseNegatives }: Counts): Metrics {
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  return {
    precision: share(truePositives, truePositives + falsePositives),
    recall: share(truePositives, truePositives + falseNegatives),
    f1: share(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives),
    accuracy: share(
      truePositives + trueNegatives,
      truePositives + trueNegatives + falsePositives + falseNegatives,
    ),
  };
}
