import type { Logits, Scorer } from "./scorer.ts";

/** Distinct lines that are left out one after another, at most; of more, those with which the margin rose most. */
const mostLeftOut = 32;

/**
 * The weight of each line: how much lower the margin is without it and its equals. Lines that were not left out, of a window
 * with very many distinct ones, weigh 0.
 *
 * Not how much the margin rises when the line joins those before it: the first lines of a session alone are a session that was
 * cut off, and would weigh most in nearly every window (`npm run bench -- --only planted`).
 * @param window [lines, width]
 * @param lines masked, as many.
 */
export async function lineWeights(
  scorer: Pick<Scorer, "scorePrefixes" | "scoreWithout">,
  window: Float32Array,
  lines: readonly string[],
): Promise<number[]> {
  const equals = new Map<string, number[]>();
  for (const [place, line] of lines.entries()) {
    const places = equals.get(line);
    if (places === undefined) equals.set(line, [place]);
    else places.push(place);
  }
  const groups = await mostRising(scorer, window, [...equals.values()]);
  const [all = Number.NaN, ...without] = (await scorer.scoreWithout(window, [[], ...groups])).map(marginOf);
  const weights = new Array<number>(lines.length).fill(0);
  for (const [index, places] of groups.entries())
    for (const place of places) weights[place] = all - (without[index] ?? Number.NaN);
  return weights;
}

/** The groups with which the margin rose most where they joined the lines before them; all, where they are few. */
async function mostRising(
  scorer: Pick<Scorer, "scorePrefixes">,
  window: Float32Array,
  groups: readonly number[][],
): Promise<readonly number[][]> {
  if (groups.length <= mostLeftOut) return groups;
  const lines = groups.reduce((sum, { length }) => sum + length, 0);
  const counts = Array.from({ length: lines + 1 }, (_, count) => count);
  const margins = (await scorer.scorePrefixes(window, counts)).map(marginOf);
  const riseOf = (places: readonly number[]) =>
    Math.max(...places.map((place) => (margins[place + 1] ?? 0) - (margins[place] ?? 0)));
  return groups
    .map((places) => ({ places, rise: riseOf(places) }))
    .sort((a, b) => b.rise - a.rise)
    .slice(0, mostLeftOut)
    .map(({ places }) => places);
}

function marginOf({ normal, anomalous }: Logits): number {
  return anomalous - normal;
}
