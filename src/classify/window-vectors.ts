import type { Embedder } from "../embed/embedder.ts";

/** Windows of masked lines as the scorer takes them: each [lines, width], its lines' vectors one after another. */
export async function windowVectors(
  embedder: Embedder,
  windows: readonly (readonly string[])[],
): Promise<Float32Array[]> {
  const embedded = await embedder.embed(windows.flat());
  let next = 0;
  return windows.map((lines) => {
    const vectors = new Float32Array(lines.length * embedder.width);
    for (let line = 0; line < lines.length; line++)
      vectors.set(embedded[next++] ?? [], line * embedder.width);
    return vectors;
  });
}
