/** Lines of one batch: their places in the caller's list and their token ids, all of one length. */
export interface TokenBatch {
  places: number[];
  /** Tokens of every line of the batch. */
  length: number;
}

/** More tokens in one run gain nothing on a CPU and cost memory. */
export const tokensPerBatch = 512;

/**
 * Rows of a run at least. ONNX Runtime sums over the tokens of a single row in another order than over those of several,
 * with another rounding: a line on its own is run twice over, and so has the bits that it has in any batch.
 */
export const leastRows = 2;

/**
 * Batches of lines of equal length, within the budget of tokens.
 *
 * Equal length, not only similar: without padding a line's embedding is the same number for number, whoever its
 * batch-mates are. Padded batches differ in the last bit, and a cached embedding would then differ from a fresh one.
 */
export function batchesByLength(encoded: readonly (readonly number[])[]): TokenBatch[] {
  const byLength = new Map<number, number[]>();
  for (const [place, { length }] of encoded.entries()) {
    const places = byLength.get(length);
    if (places === undefined) byLength.set(length, [place]);
    else places.push(place);
  }
  const batches: TokenBatch[] = [];
  for (const [length, places] of byLength) {
    const lines = Math.max(1, Math.floor(tokensPerBatch / length));
    for (let from = 0; from < places.length; from += lines) {
      batches.push({ length, places: places.slice(from, from + lines) });
    }
  }
  return batches;
}
