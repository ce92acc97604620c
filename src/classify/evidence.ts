import type { Logits, Scorer } from "./scorer.ts";

/**
 * The weight of each line: how much lower the margin is when the question does not see it and its equals. All weights come
 * from one computation of the window, and of each distinct line the question alone.
 *
 * Not how much the margin rises when the line joins those before it: the first lines of a session alone are a session that was
 * cut off, and would weigh most in nearly every window. Nor the margin of the window without the line, computed anew for each:
 * it names planted lines no better, for several times the cost (`npm run bench -- --only planted`; docs/decisions/0013).
 * @param window [lines, width]
 * @param lines masked, as many.
 */
export async function lineWeights(
  scorer: Pick<Scorer, "scoreHidden">,
  window: Float32Array,
  lines: readonly string[],
): Promise<number[]> {
  const groups = placesByLine(lines);
  const margins = (await scorer.scoreHidden(window, [[], ...groups])).map(marginOf);
  return weightsOf(groups, lines.length, margins);
}

/** Places of each distinct line. */
export function placesByLine(lines: readonly string[]): number[][] {
  const places = Map.groupBy(lines.keys(), (place) => lines[place] ?? "");
  return [...places.values()];
}

/** @param margins of the window, then without each group. */
export function weightsOf(
  groups: readonly (readonly number[])[],
  lines: number,
  [all = Number.NaN, ...without]: readonly number[],
): number[] {
  const weights = new Array<number>(lines).fill(0);
  for (const [index, places] of groups.entries())
    for (const place of places) weights[place] = all - (without[index] ?? Number.NaN);
  return weights;
}

export function marginOf({ normal, anomalous }: Logits): number {
  return anomalous - normal;
}
