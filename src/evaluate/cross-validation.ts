import { bestF1 } from "./curves.ts";
import { type MeanFigure, meanOf } from "./intervals.ts";
import type { Item } from "./judged-windows.ts";
import { type Metrics, metricsOf } from "./metrics.ts";
import { foldsOf } from "./splits.ts";
import { countsOf, curveOfItems } from "./views.ts";

/** A threshold chosen on some windows for the best F1, and what it gives on others. */
export interface ChosenThreshold extends Metrics {
  /** On the score. */
  threshold: number;
}

export interface CrossValidation {
  folds: ChosenThreshold[];
  /** Over the folds in which the figure exists. */
  f1: MeanFigure | null;
  precision: MeanFigure | null;
  recall: MeanFigure | null;
}

/** Chooses on k-1 folds, tests on the one left. The model stays as it is: what varies is the threshold. */
export function crossValidate(
  items: readonly Item[],
  folds: number,
  seed: number,
  scoreOfRank: (rank: number) => number,
): CrossValidation {
  const parts = foldsOf(items, folds, seed);
  const results = parts.flatMap((tested, place) => {
    const rest = parts.filter((_, other) => other !== place).flat();
    return chooseThreshold(rest, tested, scoreOfRank) ?? [];
  });
  const mean = (name: "f1" | "precision" | "recall") =>
    meanOf(results.flatMap((result) => result[name] ?? [])) ?? null;
  return { folds: results, f1: mean("f1"), precision: mean("precision"), recall: mean("recall") };
}

/** undefined where the windows to choose on hold no anomaly. */
export function chooseThreshold(
  chosenOn: readonly Item[],
  tested: readonly Item[],
  scoreOfRank: (rank: number) => number,
): ChosenThreshold | undefined {
  const best = bestF1(curveOfItems(chosenOn));
  if (best === undefined) return undefined;
  const threshold = scoreOfRank(best.threshold);
  return { threshold, ...metricsOf(countsOf(tested, threshold)) };
}
