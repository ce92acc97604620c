import type { RawLine } from "./lines.ts";

/** Lines of a window and from one window's beginning to the next. */
export interface WindowSize {
  size: number;
  stride: number;
}

/** Windows of consecutive lines. The last, shorter one counts too, as in the stream. */
export async function* slide(
  lines: AsyncIterable<RawLine>,
  { size, stride }: WindowSize,
): AsyncGenerator<RawLine[]> {
  let window: RawLine[] = [];
  let overlap = 0;
  for await (const line of lines) {
    window.push(line);
    if (window.length < size) continue;
    yield window;
    window = window.slice(stride);
    overlap = size - stride;
  }
  // A rest whose lines all stood in an earlier window says nothing new.
  if (window.length > overlap) yield window;
}

/** Masked lines and the times of the first and the last that carry one. */
export function contentsOf(lines: readonly RawLine[]): { masked: string[]; start?: number; end?: number } {
  const masked = lines.map((line) => line.masked);
  const timed = lines.filter(({ time }) => time !== undefined);
  const [start, end] = [timed[0]?.time, timed.at(-1)?.time];
  return start === undefined || end === undefined ? { masked } : { masked, start, end };
}
