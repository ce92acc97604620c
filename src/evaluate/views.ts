import { type CalibrationFigures, calibrationOf } from "./calibration-error.ts";
import { averagePrecision, bestF1, type Curve, curveOf, rocAuc } from "./curves.ts";
import { type Item, type Occurrence, rank } from "./judged-windows.ts";
import { type Counts, count, emptyCounts, type Metrics, metricsOf } from "./metrics.ts";

/** Figures of one way to look at the data. */
export interface Figures {
  windows: number;
  anomalous: number;
  counts: Counts;
  metrics: Metrics;
  rocAuc: number | null;
  averagePrecision: number | null;
  /** Over all thresholds, chosen on these very windows: an upper bound. The threshold is on the score. */
  bestF1: { f1: number; threshold: number } | null;
  expectedCalibrationError: number | null;
  brierScore: number | null;
}

export interface View {
  name: string;
  items: readonly Item[];
}

/** What training has seen. */
export interface Known {
  /** Keys of windows. */
  windows: ReadonlySet<string>;
  /** Masked lines. */
  lines: ReadonlySet<string>;
}

export function knownOf(occurrences: readonly Pick<Occurrence, "window">[]): Known {
  const distinct = new Set(occurrences.map(({ window }) => window));
  const lines = new Set<string>();
  for (const { masked } of distinct) for (const line of masked) lines.add(line);
  return { windows: new Set([...distinct].map(({ key }) => key)), lines };
}

/** All windows, each distinct one once, and, where training is known, what it has not seen. */
export function viewsOf(items: readonly Item[], known: Known | undefined): View[] {
  const once = (some: readonly Item[]) => some.map((item) => ({ ...item, weight: 1 }));
  const views: View[] = [
    { name: "all windows", items },
    { name: "distinct windows", items: once(items) },
  ];
  if (known === undefined) return views;
  const unseen = items.filter(({ window }) => !known.windows.has(window.key));
  const foreign = items.filter(({ window }) => window.masked.some((line) => !known.lines.has(line)));
  const familiar = new Set(foreign);
  return [
    ...views,
    { name: "distinct windows never seen in training", items: once(unseen) },
    { name: "windows with a line never seen in training", items: foreign },
    { name: "distinct windows with a line never seen", items: once(foreign) },
    { name: "windows of lines all seen in training", items: items.filter((item) => !familiar.has(item)) },
  ];
}

export function isFlagged({ window }: Pick<Item, "window">, threshold: number): boolean {
  return window.score !== null && window.score >= threshold;
}

export function countsOf(items: readonly Item[], threshold: number): Counts {
  const counts = emptyCounts();
  for (const item of items) {
    if (item.window.score === null) counts.undecided += item.weight;
    count(counts, isFlagged(item, threshold), item.label === 1, item.weight);
  }
  return counts;
}

export function curveOfItems(items: readonly Item[]): Curve {
  return curveOf(items.map(({ window, label, weight }) => ({ rank: rank(window), label, weight })));
}

/** Undecided windows have no score to be calibrated. */
export function calibrationOfItems(items: readonly Item[]): CalibrationFigures {
  return calibrationOf(
    items.flatMap(({ window: { score }, label, weight }) =>
      score === null ? [] : [{ score, label, weight }],
    ),
  );
}

export function figuresOf(
  { items }: Pick<View, "items">,
  threshold: number,
  scoreOfRank: (rank: number) => number,
): Figures {
  const curve = curveOfItems(items);
  const counts = countsOf(items, threshold);
  const best = bestF1(curve);
  const { expectedCalibrationError, brierScore } = calibrationOfItems(items);
  return {
    windows: curve.positives + curve.negatives,
    anomalous: curve.positives,
    counts,
    metrics: metricsOf(counts),
    rocAuc: rocAuc(curve),
    averagePrecision: averagePrecision(curve),
    bestF1: best === undefined ? null : { f1: best.f1, threshold: scoreOfRank(best.threshold) },
    expectedCalibrationError,
    brierScore,
  };
}
