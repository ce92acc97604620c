import { type DistinctWindow, itemsOf } from "../evaluate/judged-windows.ts";
import { type Figures, figuresOf, viewsOf } from "../evaluate/views.ts";
import type { BenchmarkData } from "./benchmark-data.ts";
import type { Answer, MethodResult } from "./method.ts";

/** Scores of most methods are no probabilities: nothing is said of calibration. */
export type MethodFigures = { name: string } & Omit<Figures, "expectedCalibrationError" | "brierScore">;

export interface Speed {
  /** Judged, each once, in these seconds. */
  windows: number;
  lines: number;
  seconds: number;
  /** null where the clock saw no time pass. */
  windowsPerSecond: number | null;
  linesPerSecond: number | null;
  /** All distinct windows tested were not judged: how long they would have taken, by their lines. */
  extrapolatedSeconds: number | null;
}

/** Figures of `logguardian evaluate`'s views, from the answers to all distinct windows. */
export function methodFigures(
  { tested, known }: BenchmarkData,
  answers: ReadonlyMap<DistinctWindow, Answer>,
): MethodFigures[] {
  const answered = new Map<DistinctWindow, DistinctWindow>();
  for (const [window, { score, anomalous }] of answers)
    answered.set(window, { ...window, margin: score, score: score === null ? null : Number(anomalous) });
  const items = itemsOf(
    tested.map((occurrence) => ({
      ...occurrence,
      window: answered.get(occurrence.window) ?? occurrence.window,
    })),
  );
  return viewsOf(items, known).map((view) => {
    const { expectedCalibrationError: _, brierScore: __, ...figures } = figuresOf(view, 1, (rank) => rank);
    return { name: view.name, ...figures };
  });
}

export function speedOf({ distinct }: BenchmarkData, { answers, scoreSeconds }: MethodResult): Speed {
  const judged = [...answers.keys()];
  const lines = linesOf(judged);
  const perSecond = (count: number) => (scoreSeconds > 0 ? count / scoreSeconds : null);
  const all = linesOf(distinct);
  const extrapolated = judged.length < distinct.length;
  const linesPerSecond = perSecond(lines);
  return {
    windows: judged.length,
    lines,
    seconds: scoreSeconds,
    // Windows of a sample are longer or shorter than all: their lines are what costs.
    windowsPerSecond: extrapolated
      ? linesPerSecond && (linesPerSecond * distinct.length) / all
      : perSecond(judged.length),
    linesPerSecond,
    extrapolatedSeconds: extrapolated && linesPerSecond ? all / linesPerSecond : null,
  };
}

function linesOf(windows: readonly DistinctWindow[]): number {
  return windows.reduce((sum, { masked }) => sum + masked.length, 0);
}
