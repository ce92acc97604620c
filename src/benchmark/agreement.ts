import { agreementOf } from "../evaluate/agreement.ts";
import type { BenchmarkData } from "./benchmark-data.ts";
import { speedOf } from "./figures.ts";
import type { Answer, MethodResult } from "./method.ts";

/** How one method's answers stand to those of another that should be equal, on the windows that both judged. */
export interface MethodAgreement {
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

export function methodAgreement(
  data: BenchmarkData,
  result: MethodResult,
  other: MethodResult,
): MethodAgreement {
  const labels = new Map(data.tested.map(({ window, label }) => [window, label]));
  const pairs = [...result.answers].flatMap(([window, answer]) => {
    const second = other.answers.get(window);
    return second === undefined ? [] : [{ a: saidBy(answer), b: saidBy(second), label: labels.get(window) }];
  });
  const { windows, confusion, labelled } = agreementOf(pairs);
  const differences = pairs.flatMap(({ a, b }) =>
    a.margin === null || b.margin === null ? [] : [Math.abs(a.margin - b.margin)],
  );
  const [slow, fast] = [speedOf(data, result).linesPerSecond, speedOf(data, other).linesPerSecond];
  return {
    windows,
    sameVerdict: confusion.normal.normal + confusion.anomalous.anomalous,
    largestDifference: differences.length === 0 ? null : Math.max(...differences),
    f1: labelled?.a.f1 ?? null,
    otherF1: labelled?.b.f1 ?? null,
    speedUp: slow === null || fast === null ? null : fast / slow,
  };
}

function saidBy({ score, anomalous }: Answer) {
  return { verdict: anomalous ? ("anomalous" as const) : ("normal" as const), margin: score };
}
