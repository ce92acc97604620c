import type { Embedder } from "../embed/embedder.ts";

/** A window's lines as vectors. */
export interface WindowVectors {
  /** One vector a line; the same object wherever the line cache answered. */
  lines: Float32Array[];
  /** [lines, width], one after another: as the scorer takes them. */
  joined: Float32Array;
}

/** Windows of masked lines to vectors; each distinct line is embedded once. */
export async function windowVectors(
  embedder: Embedder,
  windows: readonly (readonly string[])[],
): Promise<WindowVectors[]> {
  const embedded = await embedder.embed(windows.flat());
  let next = 0;
  return windows.map(({ length }) => {
    const lines = embedded.slice(next, next + length);
    next += length;
    const joined = new Float32Array(length * embedder.width);
    for (const [line, vector] of lines.entries()) joined.set(vector, line * embedder.width);
    return { lines, joined };
  });
}
