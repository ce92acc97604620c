import type { Logits, Scorer } from "./scorer.ts";

/** Prefixes asked about in one round. */
const prefixesPerRound = 10;

/**
 * The weight of each line: how much the margin rises when the line joins those before it.
 *
 * Coarse to fine: the verdict question is asked after ten evenly spaced prefixes, then after ten inside the largest
 * rise, and so on until that rise is down to single lines. Lines of a stretch that was not looked into share its rise
 * evenly. The weights sum to the whole window's margin minus the margin of no line at all.
 */
export async function lineWeights(
  scorer: Pick<Scorer, "scorePrefixes">,
  window: Float32Array,
  lines: number,
): Promise<number[]> {
  const margins = new Map<number, number>();
  const ask = async (counts: number[]) => {
    const fresh = counts.filter((count) => !margins.has(count));
    const answers = fresh.length > 0 ? await scorer.scorePrefixes(window, fresh) : [];
    for (const [place, count] of fresh.entries()) margins.set(count, marginOf(answers[place]));
  };
  let [from, to] = [0, lines];
  await ask(steps(from, to));
  while (to - from > 1) {
    [from, to] = largestRise(margins, from, to);
    if (to - from > 1) await ask(steps(from, to));
  }
  return spread(margins, lines);
}

function steps(from: number, to: number): number[] {
  const rounds = Math.min(prefixesPerRound, to - from);
  return Array.from({ length: rounds + 1 }, (_, step) => from + Math.round(((to - from) * step) / rounds));
}

/** The two neighbouring prefixes within [from, to] between which the margin rises most. */
function largestRise(margins: Map<number, number>, from: number, to: number): [number, number] {
  const counts = [...margins.keys()].filter((count) => count >= from && count <= to).sort((a, b) => a - b);
  let best: [number, number] = [from, to];
  let rise = Number.NEGATIVE_INFINITY;
  for (let place = 1; place < counts.length; place++) {
    const [left = 0, right = 0] = [counts[place - 1], counts[place]];
    const here = (margins.get(right) ?? 0) - (margins.get(left) ?? 0);
    if (here > rise) [rise, best] = [here, [left, right]];
  }
  return best;
}

function spread(margins: Map<number, number>, lines: number): number[] {
  const weights = new Array<number>(lines).fill(0);
  const counts = [...margins.keys()].sort((a, b) => a - b);
  for (let place = 1; place < counts.length; place++) {
    const [left = 0, right = 0] = [counts[place - 1], counts[place]];
    const share = ((margins.get(right) ?? 0) - (margins.get(left) ?? 0)) / (right - left);
    weights.fill(share, left, right);
  }
  return weights;
}

function marginOf(logits: Logits | undefined): number {
  return logits === undefined ? 0 : logits.anomalous - logits.normal;
}
