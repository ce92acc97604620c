import type { LineView } from "../evaluate/data/lines.ts";
import type { DistinctWindow } from "../evaluate/judged-windows.ts";
import type { BenchmarkData, Progress } from "./benchmark-data.ts";

/** What a method says of a window. */
export interface Answer {
  /** The higher, the more anomalous, on the method's own scale; null: it could not judge the window. */
  score: number | null;
  anomalous: boolean;
}

export interface MethodResult {
  /** Of all distinct windows tested, or of a random sample of them where the method judges no more. */
  answers: ReadonlyMap<DistinctWindow, Answer>;
  /** null where nothing is learned here. */
  trainSeconds: number | null;
  /** For the windows of `answers`. */
  scoreSeconds: number;
}

export interface Method {
  /** What `--methods` and JSON call it; of a bundle unlike all others. */
  id: string;
  /** What the report calls it. */
  name: string;
  /** How it sees lines; all methods without a view of their own share one. */
  view?: LineView;
  /** Id of the method that it computes the same as, another way: their answers are compared. */
  sameAs?: string;
  /** What a reader must know before its figures. */
  notes: readonly string[];
  /** @throws LogGuardianError where it cannot run. */
  run(data: BenchmarkData, onProgress: Progress): Promise<MethodResult>;
}

/** Answers in the order of the windows. */
export function answersOf(
  windows: readonly DistinctWindow[],
  answers: readonly Answer[],
): Map<DistinctWindow, Answer> {
  return new Map(
    windows.map((window, place) => [window, answers[place] ?? { score: null, anomalous: false }]),
  );
}
