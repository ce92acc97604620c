import type { Cut, Cutter } from "./cutter.ts";
import type { Entry } from "./entry.ts";

/** Windows of `size` lines, one beginning every `stride` lines of its key. */
export function createSlidingCutter({ size, stride }: { size: number; stride: number }): Cutter {
  /** `overlap`: how many of the entries stood in an earlier window. */
  const open = new Map<string, { entries: Entry[]; overlap: number }>();

  function windowOf(key: string): { entries: Entry[]; overlap: number } {
    let window = open.get(key);
    if (window === undefined) {
      window = { entries: [], overlap: 0 };
      open.set(key, window);
    }
    return window;
  }

  return {
    add(entry) {
      const { key } = entry;
      const { entries } = windowOf(key);
      entries.push(entry);
      if (entries.length < size) return [];
      const overlap = size - stride;
      open.set(key, { entries: entries.slice(stride), overlap });
      return [{ key, entries, reason: "full", released: entries.slice(0, stride), overlap }];
    },
    advance: () => [],
    flush() {
      const cuts: Cut[] = [];
      // A rest whose lines all stood in an earlier window says nothing new.
      for (const [key, { entries, overlap }] of open)
        if (entries.length > overlap) cuts.push({ key, entries, reason: "flush", released: entries });
      open.clear();
      return cuts;
    },
    restore(entries, overlap) {
      for (const entry of entries) windowOf(entry.key).entries.push(entry);
      for (const [key, window] of open) window.overlap = overlap.get(key) ?? 0;
    },
    openWindows: () => open.size,
  };
}
