/** Windows whose score falls into one stretch of [0, 1]. */
export interface ReliabilityBin {
  from: number;
  to: number;
  weight: number;
  /** Means over the bin's windows; null where there are none. */
  score: number | null;
  anomalous: number | null;
}

export interface CalibrationFigures {
  bins: ReliabilityBin[];
  /** Mean distance of score and share of anomalies over the bins, by weight; null without a scored window. */
  expectedCalibrationError: number | null;
  /** Mean squared distance of score and label. */
  brierScore: number | null;
}

const binCount = 10;

/** Guo et al., "On Calibration of Modern Neural Networks" (2017), ten bins of equal width. */
export function calibrationOf(
  scored: readonly { score: number; label: 0 | 1; weight: number }[],
): CalibrationFigures {
  const sums = Array.from({ length: binCount }, () => ({ weight: 0, score: 0, anomalous: 0 }));
  let [total, squares] = [0, 0];
  for (const { score, label, weight } of scored) {
    const sum = sums[Math.min(Math.floor(score * binCount), binCount - 1)];
    if (sum === undefined) continue;
    sum.weight += weight;
    sum.score += weight * score;
    sum.anomalous += weight * label;
    total += weight;
    squares += weight * (score - label) ** 2;
  }
  const error = sums.reduce((all, { score, anomalous }) => all + Math.abs(score - anomalous), 0);
  return {
    bins: sums.map(({ weight, score, anomalous }, place) => ({
      from: place / binCount,
      to: (place + 1) / binCount,
      weight,
      score: weight === 0 ? null : score / weight,
      anomalous: weight === 0 ? null : anomalous / weight,
    })),
    expectedCalibrationError: total === 0 ? null : error / total,
    brierScore: total === 0 ? null : squares / total,
  };
}
