import type { DistinctWindow } from "../evaluate/judged-windows.ts";
import type { TrainingWindow } from "./benchmark-data.ts";
import { type Answer, answersOf, type Method } from "./method.ts";

/**
 * Detectors without a model (Landauer et al., A Critical Review of Common Log Data Sets Used for Evaluation of
 * Sequence-based Anomaly Detection Techniques, FSE 2024): what they reach is no merit of a model that reaches it too.
 */
export const trivialMethods: readonly Method[] = [
  method("unseen-template", "unseen template", (normal) => {
    const known = new Set(normal.flatMap(({ masked }) => masked));
    return ({ masked }) => {
      const unseen = masked.reduce((sum, line) => sum + Number(!known.has(line)), 0);
      return { score: unseen, anomalous: unseen > 0 };
    };
  }),
  method("unseen-counts", "unseen count vector", (normal) => {
    const known = new Set(normal.map(({ masked }) => countsOf(masked)));
    return ({ masked }) => {
      const unseen = !known.has(countsOf(masked));
      return { score: Number(unseen), anomalous: unseen };
    };
  }),
];

/** They know normal training windows and nothing else. */
function method(
  id: string,
  name: string,
  train: (normal: readonly TrainingWindow[]) => (window: DistinctWindow) => Answer,
): Method {
  return {
    id,
    name,
    notes: [],
    async run({ train: windows, distinct }) {
      const start = performance.now();
      const judge = train(windows.filter(({ label }) => label === 0));
      const trained = performance.now();
      const answers = distinct.map(judge);
      const scoreSeconds = (performance.now() - trained) / 1000;
      return { answers: answersOf(distinct, answers), trainSeconds: (trained - start) / 1000, scoreSeconds };
    },
  };
}

/** Equal for windows that hold the same lines equally often, in whatever order. */
function countsOf(masked: readonly string[]): string {
  return JSON.stringify([...masked].sort());
}
