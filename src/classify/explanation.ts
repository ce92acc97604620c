import type { Embedder } from "../embed/embedder.ts";
import { LogGuardianError } from "../errors.ts";
import type { Calibration } from "./calibration.ts";
import { scoreOf } from "./calibration.ts";
import { lineWeights, marginOf, placesByLine, weightsOf } from "./evidence.ts";
import type { Scored, Scorer } from "./scorer.ts";
import { windowVectors } from "./window-vectors.ts";

/** Why a window has its score. */
export interface Explanation {
  margin: number;
  score: number;
  /** After no line, after the first, and so on: [lines + 1]. */
  prefixScores: number[];
  /** How much lower the margin is without the line and its equals: see evidence.ts and `leaveOut`. */
  weights: number[];
  /** Place of the line with which the score reached the threshold for the last time; undefined where it is below at the end. */
  crossedAt?: number;
  /**
   * Places of lines without any one of which, and its equals, the window would be normal; of an anomalous window.
   * None where several lines are each enough, or where what the window lacks makes the verdict.
   */
  decisive?: number[];
  /** Places of lines that are anomalous by themselves, none of which can be left out; of an anomalous window. */
  sufficient?: number[];
}

/**
 * Asks the model after each prefix of a window, and without each of its lines.
 * @param lines masked, at most the bundle's limit.
 * @param options.leaveOut the window is computed anew without each distinct line, for its weight: lines that follow have not
 *   seen it either.
 * @throws LogGuardianError LG_WINDOW_EMPTY, LG_WINDOW_TOO_LONG, LG_EMBEDDING_NOT_FINITE, LG_DECODE.
 */
export async function explain(
  deps: { embedder: Embedder; scorer: Scorer; calibration: Calibration },
  lines: readonly string[],
  options: { threshold: number; leaveOut?: boolean | undefined },
): Promise<Explanation> {
  const { embedder, scorer, calibration } = deps;
  const [vectors] = await windowVectors(embedder, [lines]);
  const joined = vectors?.joined ?? new Float32Array(0);
  const counts = Array.from({ length: lines.length + 1 }, (_, count) => count);
  const margins = (await scorer.scorePrefixes(joined, counts)).map(marginOf);
  const margin = margins.at(-1) ?? Number.NaN;
  const prefixScores = margins.map((one) => scoreOf(one, calibration));
  const score = prefixScores.at(-1) ?? Number.NaN;
  /** Margins of some of the lines, in their order. */
  const marginsOf = async (choices: readonly (readonly number[])[]): Promise<number[]> => {
    const width = scorer.width;
    const windows = choices.map((places) => {
      const window = new Float32Array(places.length * width);
      for (const [row, place] of places.entries())
        window.set(joined.subarray(place * width, (place + 1) * width), row * width);
      return window;
    });
    return (await scorer.score(windows)).map(marginOrThrow);
  };

  const leftOut = async () => {
    const groups = placesByLine(lines);
    const others = groups.map((out) => [...lines.keys()].filter((place) => !out.includes(place)));
    // Without its only line a window is no window: the question alone.
    const without = groups.length === 1 ? [margins[0] ?? Number.NaN] : await marginsOf(others);
    return weightsOf(groups, lines.length, [margin, ...without]);
  };
  const weights = options.leaveOut ? await leftOut() : await lineWeights(scorer, joined, lines);
  const explanation: Explanation = { margin, score, prefixScores, weights };

  if (score < options.threshold) return explanation;
  explanation.crossedAt = Math.max(
    0,
    prefixScores.findLastIndex((one) => one < options.threshold),
  );
  const isAnomalous = (one: number) => scoreOf(one, calibration) >= options.threshold;
  explanation.decisive = [...weights.keys()].filter((place) => !isAnomalous(margin - (weights[place] ?? 0)));
  explanation.sufficient = await sufficientLines(explanation.weights, async (choices) =>
    (await marginsOf(choices)).map(isAnomalous),
  );
  return explanation;
}

/**
 * Few lines that keep the verdict: the heaviest until they are anomalous by themselves, then without each that is not needed.
 * No line of the answer can be left out; another set may be smaller.
 */
async function sufficientLines(
  weights: readonly number[],
  areAnomalous: (choices: readonly number[][]) => Promise<boolean[]>,
): Promise<number[]> {
  const heaviest = weights.map((_, place) => place).sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
  const inOrder = (places: readonly number[]) => places.toSorted((a, b) => a - b);
  const beginnings = heaviest.map((_, place) => inOrder(heaviest.slice(0, place + 1)));
  const firstAnomalous = (await areAnomalous(beginnings)).indexOf(true);
  let kept = beginnings[firstAnomalous] ?? inOrder(heaviest);
  for (const place of heaviest.toReversed()) {
    if (kept.length === 1 || !kept.includes(place)) continue;
    const without = kept.filter((one) => one !== place);
    if ((await areAnomalous([without]))[0]) kept = without;
  }
  return kept;
}

function marginOrThrow(scored: Scored): number {
  if (scored instanceof LogGuardianError) throw scored;
  return marginOf(scored);
}
