/** What a curve is made of: how high a window ranks, its label, how often it counts. */
export interface Ranked {
  rank: number;
  label: 0 | 1;
  weight: number;
}

/** All windows that rank at least this high are flagged: what that gives. */
export interface Step {
  rank: number;
  truePositives: number;
  falsePositives: number;
}

export interface Curve {
  /** Highest rank first; equal ranks are one step. */
  steps: Step[];
  positives: number;
  negatives: number;
}

export function curveOf(ranked: readonly Ranked[]): Curve {
  const sorted = [...ranked].sort((a, b) => compare(b.rank, a.rank));
  const steps: Step[] = [];
  let [truePositives, falsePositives] = [0, 0];
  for (const [place, { rank, label, weight }] of sorted.entries()) {
    if (label === 1) truePositives += weight;
    else falsePositives += weight;
    if (sorted[place + 1]?.rank !== rank) steps.push({ rank, truePositives, falsePositives });
  }
  return { steps, positives: truePositives, negatives: falsePositives };
}

/** Subtraction would give NaN for two windows without a rank (-Infinity). */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Area under the ROC curve, by trapezoids; null where one of the labels does not occur. */
export function rocAuc({ steps, positives, negatives }: Curve): number | null {
  if (positives === 0 || negatives === 0) return null;
  let area = 0;
  let [left, low] = [0, 0];
  for (const { truePositives, falsePositives } of steps) {
    area += ((falsePositives - left) * (truePositives + low)) / 2;
    [left, low] = [falsePositives, truePositives];
  }
  return area / positives / negatives;
}

/** Sum of precision times the rise of recall, as scikit-learn's average_precision_score; null without an anomaly. */
export function averagePrecision({ steps, positives }: Curve): number | null {
  if (positives === 0) return null;
  let sum = 0;
  let before = 0;
  for (const { truePositives, falsePositives } of steps) {
    sum += ((truePositives - before) / positives) * (truePositives / (truePositives + falsePositives));
    before = truePositives;
  }
  return sum;
}

/** What flagging down to this step gives. */
export function figuresAt({ truePositives, falsePositives }: Step, { positives, negatives }: Curve) {
  const flagged = truePositives + falsePositives;
  return {
    precision: flagged === 0 ? null : truePositives / flagged,
    recall: positives === 0 ? null : truePositives / positives,
    f1: positives === 0 ? null : (2 * truePositives) / (flagged + positives),
    falsePositiveRate: negatives === 0 ? null : falsePositives / negatives,
    falseAlarms: falsePositives,
  };
}

/**
 * The highest F1 of all thresholds, the highest of them among equals; undefined without an anomaly. The threshold lies
 * halfway between the last rank that is flagged and the next: on other windows both sides have the same room.
 */
export function bestF1(curve: Curve): { f1: number; threshold: number } | undefined {
  let best: { f1: number; threshold: number } | undefined;
  for (const [place, step] of curve.steps.entries()) {
    if (step.rank === Number.NEGATIVE_INFINITY) continue;
    const { f1 } = figuresAt(step, curve);
    if (f1 === null || (best !== undefined && f1 <= best.f1)) continue;
    const next = curve.steps[place + 1]?.rank ?? Number.NEGATIVE_INFINITY;
    best = { f1, threshold: Number.isFinite(next) ? (step.rank + next) / 2 : step.rank };
  }
  return best;
}

/** The step that a threshold on the rank comes to: the last whose rank reaches it. */
export function stepAt({ steps }: Curve, threshold: number): Step {
  let found: Step = { rank: threshold, truePositives: 0, falsePositives: 0 };
  for (const step of steps) {
    if (step.rank < threshold) break;
    found = step;
  }
  return found;
}

/** At most `most` of the steps, the first and the last among them: for pictures and files. */
export function thinned(steps: readonly Step[], most: number): Step[] {
  if (steps.length <= most) return [...steps];
  return Array.from({ length: most }, (_, place) => {
    const at = Math.round((place * (steps.length - 1)) / (most - 1));
    return steps[at] as Step;
  });
}
