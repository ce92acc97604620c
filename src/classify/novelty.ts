import { setImmediate } from "node:timers/promises";
import type { TrainingLines } from "../model/novelty.ts";

/** How unlike every line of training a line is. It stands beside the score and never changes a verdict. */
export interface Novelty {
  /**
   * For each line's vector 1 - its greatest cosine similarity to a training line: 0 (seen) to 2, to six decimals.
   * Computed once for each vector object, and so once for each line as long as the line cache keeps it.
   */
  of(vectors: readonly Float32Array[]): Promise<number[]>;
}

/** Multiplications between two turns of the event loop: some milliseconds, so that heartbeats and streams go on. */
const workPerTurn = 4_000_000;
/** The encoder's last bits differ between machines; a line that was trained on shall be at 0 exactly. */
const decimals = 1e6;

export function createNovelty({ count, width, vectors }: TrainingLines): Novelty {
  const known = new WeakMap<Float32Array, number>();
  const directions = vectors.slice();
  for (let line = 0; line < count; line++) {
    const row = directions.subarray(line * width, (line + 1) * width);
    const length = lengthOf(row);
    if (length > 0) for (let place = 0; place < width; place++) row[place] = (row[place] ?? 0) / length;
  }

  function compute(vector: Float32Array): number {
    let most = Number.NEGATIVE_INFINITY;
    for (let line = 0, from = 0; line < count; line++, from += width) {
      let product = 0;
      for (let place = 0; place < width; place++)
        product += (directions[from + place] ?? 0) * (vector[place] ?? 0);
      if (product > most) most = product;
    }
    const similarity = most / (lengthOf(vector) || 1);
    return Math.round(Math.max(0, 1 - similarity) * decimals) / decimals;
  }

  return {
    async of(lines) {
      const results: number[] = [];
      let work = 0;
      for (const vector of lines) {
        let novelty = known.get(vector);
        if (novelty === undefined) {
          novelty = compute(vector);
          known.set(vector, novelty);
          work += count * width;
          if (work >= workPerTurn) {
            work = 0;
            await setImmediate();
          }
        }
        results.push(novelty);
      }
      return results;
    },
  };
}

function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
