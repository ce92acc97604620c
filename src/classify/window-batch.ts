import type { Operation } from "./addon.ts";

/** The prompt around a window, as vectors. */
export interface PromptRows {
  /** [positions before the lines, width] */
  before: Float32Array;
  /** [positions after the lines, width] */
  after: Float32Array;
  width: number;
}

export interface Piece {
  /** [rows, width], put one after another. */
  parts: readonly Float32Array[];
  sequence: number;
  /** Position of the first row. */
  from: number;
  /** Whether the last row's logits are wanted. */
  output: boolean;
}

/** One decode of several sequences' rows. Sequences must come in rising order from 0: llama.cpp asks for that. */
export function decodePieces(pieces: readonly Piece[], width: number): Operation {
  const rowsOf = (piece: Piece) => piece.parts.reduce((rows, part) => rows + part.length / width, 0);
  const total = pieces.reduce((rows, piece) => rows + rowsOf(piece), 0);
  const values = new Float32Array(total * width);
  const positions = new Int32Array(total);
  const sequences = new Int32Array(total);
  const outputs = new Int8Array(total);
  let row = 0;
  for (const piece of pieces) {
    const first = row;
    for (const part of piece.parts) {
      values.set(part, row * width);
      row += part.length / width;
    }
    for (let place = first; place < row; place++) {
      positions[place] = piece.from + place - first;
      sequences[place] = piece.sequence;
    }
    if (piece.output) {
      outputs[row - 1] = 1;
      // Never one output row alone: see Rows.outputs.
      if (row - first > 1) outputs[row - 2] = 2;
    }
  }
  return { kind: "embeddings", values, positions, sequences, outputs };
}

/**
 * Places of `sizes` in batches of similar size: at most `most` each, and at most `budget` rows with `extra` added to each.
 *
 * llama.cpp cuts a batch of unequal sequences at each shortest length. A cut of one row a sequence would be computed by
 * another kernel with another rounding; odd and even sizes are kept apart, so that no cut is that thin and a window's
 * margin does not depend on its batch-mates.
 */
export function batchesBySize(
  sizes: readonly number[],
  most: number,
  budget: number,
  extra: number,
): number[][] {
  const sizeOf = (place: number) => sizes[place] ?? 0;
  const order = sizes
    .map((_, place) => place)
    .sort((a, b) => (sizeOf(a) % 2) - (sizeOf(b) % 2) || sizeOf(a) - sizeOf(b));
  const batches: number[][] = [];
  let current: number[] = [];
  let rows = 0;
  for (const place of order) {
    const size = sizeOf(place) + extra;
    const parityEnds = current.length > 0 && (sizeOf(current[0] ?? 0) - sizeOf(place)) % 2 !== 0;
    if (current.length > 0 && (parityEnds || current.length >= most || rows + size > budget)) {
      batches.push(current);
      current = [];
      rows = 0;
    }
    current.push(place);
    rows += size;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}
