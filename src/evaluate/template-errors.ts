import { createJudge } from "../classify/judge.ts";
import type { OpenModel } from "../pipeline/open-model.ts";
import type { DistinctWindow, Item } from "./judged-windows.ts";
import { isFlagged } from "./views.ts";

/** A masked line in the windows that were judged wrongly. */
export interface TemplateError {
  line: string;
  /** Wrongly judged windows that hold it, and rightly judged ones of the same label. */
  wrong: number;
  right: number;
  /** Wrongly judged windows in which it weighs most; null where no weights were computed. */
  heaviest: number | null;
  /** Mean of its highest weight over the wrongly judged windows with weights: how much it raises the margin. */
  weight: number | null;
  /** Wrongly judged windows in which it is an alert; null where the data set does not label lines. */
  alerts: number | null;
}

export interface TemplateErrors {
  falseAlarms: TemplateError[];
  misses: TemplateError[];
  /** Distinct wrongly judged windows, and those of them whose weights were computed. */
  windows: number;
  windowsWithWeights: number;
}

/** Weights cost some ten questions a window: the windows that occur most often are asked about. */
const mostWindowsWithWeights = 300;
const mostLines = 100;

export async function templateErrors(
  model: OpenModel,
  items: readonly Item[],
  threshold: number,
): Promise<TemplateErrors> {
  const wrong = items.filter((item) => isFlagged(item, threshold) !== (item.label === 1));
  const weights = await weightsOf(model, wrong);
  const errorsOf = (label: 0 | 1) =>
    rankLines(
      items.filter((item) => item.label === label),
      new Set(wrong),
      weights,
    );
  return {
    falseAlarms: errorsOf(0),
    misses: errorsOf(1),
    windows: wrong.length,
    windowsWithWeights: weights.size,
  };
}

/** Weights of normal windows too: the threshold 0 makes the judge explain every one. */
async function weightsOf(model: OpenModel, wrong: readonly Item[]): Promise<Map<DistinctWindow, number[]>> {
  const judge = createJudge(model, { threshold: 0, evidence: true, rawOutput: false, cacheBytes: 0 });
  const frequent = [...wrong].sort((a, b) => b.weight - a.weight).slice(0, mostWindowsWithWeights);
  const windows = [...new Set(frequent.map(({ window }) => window))];
  const judgements = await judge.judge(windows);
  const weights = new Map<DistinctWindow, number[]>();
  for (const [place, window] of windows.entries()) {
    const found = judgements[place]?.weights;
    if (found !== undefined) weights.set(window, found);
  }
  return weights;
}

interface Tally {
  wrong: number;
  right: number;
  heaviest: number;
  alerts: number;
  weighed: number;
  weightSum: number;
}

/** Items of one label. Lines that stand in wrongly judged windows, those that explain most of them first. */
function rankLines(
  items: readonly Item[],
  wrong: ReadonlySet<Item>,
  weights: ReadonlyMap<DistinctWindow, number[]>,
): TemplateError[] {
  const tallies = new Map<string, Tally>();
  for (const item of items.filter((some) => wrong.has(some))) {
    const lineWeights = highestWeights(item.window.masked, weights.get(item.window));
    const heaviest = [...lineWeights].sort(([, a], [, b]) => b - a)[0]?.[0];
    for (const line of new Set(item.window.masked)) {
      const tally = tallies.get(line) ?? {
        wrong: 0,
        right: 0,
        heaviest: 0,
        alerts: 0,
        weighed: 0,
        weightSum: 0,
      };
      tallies.set(line, tally);
      tally.wrong += item.weight;
      if (line === heaviest) tally.heaviest += item.weight;
      if (item.alerts?.includes(line)) tally.alerts += item.weight;
      const weight = lineWeights.get(line);
      if (weight === undefined) continue;
      tally.weighed += item.weight;
      tally.weightSum += item.weight * weight;
    }
  }
  for (const item of items.filter((some) => !wrong.has(some))) {
    for (const line of new Set(item.window.masked)) {
      const tally = tallies.get(line);
      if (tally !== undefined) tally.right += item.weight;
    }
  }
  const hasAlerts = items.some(({ alerts }) => alerts !== undefined);
  return [...tallies]
    .sort(([, a], [, b]) => importance(b) - importance(a))
    .slice(0, mostLines)
    .map(([line, { wrong: held, right, heaviest, alerts, weighed, weightSum }]) => ({
      line,
      wrong: held,
      right,
      heaviest: weights.size === 0 ? null : heaviest,
      weight: weighed === 0 ? null : weightSum / weighed,
      alerts: hasAlerts ? alerts : null,
    }));
}

/** How many errors hold it, the less the more right verdicts hold it too; being an alert or the heaviest counts whole. */
function importance({ wrong, right, heaviest, alerts }: Tally): number {
  return alerts + heaviest + (wrong * wrong) / (wrong + right);
}

/** The highest weight of each distinct line that the model saw. */
function highestWeights(
  masked: readonly string[],
  weights: readonly number[] | undefined,
): Map<string, number> {
  const highest = new Map<string, number>();
  for (const [place, weight] of (weights ?? []).entries()) {
    const line = masked[place];
    if (line !== undefined) highest.set(line, Math.max(highest.get(line) ?? weight, weight));
  }
  return highest;
}
