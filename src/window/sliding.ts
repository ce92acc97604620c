import type { Line } from "../ingest/line.ts";
import type { Cut, Cutter } from "./cutter.ts";

/** Windows of `size` lines, one beginning every `stride` lines of its key. */
export function createSlidingCutter({ size, stride }: { size: number; stride: number }): Cutter {
  /** `covered`: how many of the lines stood in an earlier window. */
  const open = new Map<string, { lines: Line[]; covered: number }>();
  return {
    add(key, line) {
      let window = open.get(key);
      if (window === undefined) {
        window = { lines: [], covered: 0 };
        open.set(key, window);
      }
      window.lines.push(line);
      if (window.lines.length < size) return [];
      const lines = window.lines;
      open.set(key, { lines: lines.slice(stride), covered: size - stride });
      return [{ key, lines, reason: "full" }];
    },
    advance: () => [],
    flush() {
      const cuts: Cut[] = [];
      // A rest whose lines all stood in an earlier window says nothing new.
      for (const [key, { lines, covered }] of open)
        if (lines.length > covered) cuts.push({ key, lines, reason: "flush" });
      open.clear();
      return cuts;
    },
    openWindows: () => open.size,
  };
}
