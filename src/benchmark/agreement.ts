import { count, emptyCounts, metricsOf } from "../evaluate/metrics.ts";
import type { BenchmarkData } from "./benchmark-data.ts";
import { speedOf } from "./figures.ts";
import type { Answer, MethodResult } from "./method.ts";

/** How one method's answers stand to those of another that should be equal, on the windows that both judged. */
export interface Agreement {
  windows: number;
  sameVerdict: number;
  /** Of scores on one scale; null where none of the windows has two. */
  largestDifference: number | null;
  /** Of these windows alone, each once. */
  f1: number | null;
  otherF1: number | null;
  /** The other's lines a second as a multiple of this one's. */
  speedUp: number | null;
}

export function agreementOf(data: BenchmarkData, result: MethodResult, other: MethodResult): Agreement {
  const common = [...result.answers].flatMap(([window, answer]) => {
    const second = other.answers.get(window);
    return second === undefined ? [] : [{ window, answer, second }];
  });
  const differences = common.flatMap(({ answer, second }) =>
    answer.score === null || second.score === null ? [] : [Math.abs(answer.score - second.score)],
  );
  const [slow, fast] = [speedOf(data, result).linesPerSecond, speedOf(data, other).linesPerSecond];
  const labels = new Map(data.tested.map(({ window, label }) => [window, label]));
  const f1 = (answerOf: (pair: (typeof common)[number]) => Answer) => {
    const counts = emptyCounts();
    for (const pair of common) count(counts, answerOf(pair).anomalous, labels.get(pair.window) === 1);
    return metricsOf(counts).f1;
  };
  return {
    windows: common.length,
    sameVerdict: common.filter(({ answer, second }) => answer.anomalous === second.anomalous).length,
    largestDifference: differences.length === 0 ? null : Math.max(...differences),
    f1: f1(({ answer }) => answer),
    otherF1: f1(({ second }) => second),
    speedUp: slow === null || fast === null ? null : fast / slow,
  };
}
