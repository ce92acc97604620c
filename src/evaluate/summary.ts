import type { Evaluation } from "./evaluation.ts";
import { type MeanFigure, meanOf } from "./intervals.ts";
import { type Counts, emptyCounts, type Metrics } from "./metrics.ts";
import type { Figures } from "./views.ts";

/** Figures of several bundles on the same windows, view by view: seeds of one recipe. */
export interface SeedView {
  name: string;
  figures: Record<SeedFigure, MeanFigure | null>;
}

export const seedFigures = [
  "precision",
  "recall",
  "f1",
  "accuracy",
  "rocAuc",
  "averagePrecision",
  "expectedCalibrationError",
] as const;
export type SeedFigure = (typeof seedFigures)[number];

export interface Summary {
  /** Of all windows tested; of several bundles their means over those in which the figure exists. */
  metrics: Metrics;
  /** Of several bundles the sums. */
  counts: Counts;
  /** null where bundles differ. */
  threshold: number | null;
  /** Only of several bundles. */
  seeds: SeedView[] | null;
  evaluations: Evaluation[];
}

export function summaryOf(evaluations: Evaluation[]): Summary {
  const seeds = seedViews(evaluations);
  const counts = emptyCounts();
  for (const { views } of evaluations)
    for (const name of Object.keys(counts) as (keyof Counts)[]) counts[name] += views[0]?.counts[name] ?? 0;
  const thresholds = new Set(evaluations.map(({ threshold }) => threshold));
  const mean = (name: keyof Metrics) => seeds[0]?.figures[name]?.mean ?? null;
  return {
    metrics: {
      precision: mean("precision"),
      recall: mean("recall"),
      f1: mean("f1"),
      accuracy: mean("accuracy"),
    },
    counts,
    threshold: thresholds.size === 1 ? (evaluations[0]?.threshold ?? null) : null,
    seeds: evaluations.length > 1 ? seeds : null,
    evaluations,
  };
}

function seedViews(evaluations: readonly Evaluation[]): SeedView[] {
  const names = evaluations[0]?.views.map(({ name }) => name) ?? [];
  return names.map((name) => {
    const views = evaluations.flatMap((evaluation) => evaluation.views.filter((view) => view.name === name));
    const figures = seedFigures.map((figure) => [
      figure,
      meanOf(views.flatMap((view) => figureOf(view, figure) ?? [])) ?? null,
    ]);
    return { name, figures: Object.fromEntries(figures) };
  });
}

export function figureOf(view: Figures, name: SeedFigure): number | null {
  return name === "rocAuc" || name === "averagePrecision" || name === "expectedCalibrationError"
    ? view[name]
    : view.metrics[name];
}
