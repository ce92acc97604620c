import { type Cut, type Cutter, isEarly } from "./cutter.ts";
import { createDeadlines } from "./deadlines.ts";
import type { Entry } from "./entry.ts";
import type { CloseReason, EarlySpec } from "./window.ts";

/**
 * Windows of `size` lines, one beginning every `stride` lines of its key. A key that stream time has left behind by more
 * than `idleMs` ends: its rest closes, and what comes later begins anew.
 * @param options.left how many of the lines that a full window leaves open are known to have stood in a window.
 */
export function createSlidingCutter(
  spec: { size: number; stride: number; idleMs?: number },
  { left = spec.size - spec.stride, early }: { left?: number; early?: EarlySpec | undefined } = {},
): Cutter {
  const { size, stride, idleMs = Number.POSITIVE_INFINITY } = spec;
  /** `overlap`: how many of the entries stood in an earlier window. Never without entries. */
  const open = new Map<string, { entries: Entry[]; overlap: number; newest: number }>();
  /** The newest event time among each key's open lines. */
  const silentSince = createDeadlines();

  function append(entry: Entry): Entry[] {
    const { key, line } = entry;
    const held = open.get(key);
    const window = held ?? { entries: [], overlap: 0, newest: line.time };
    if (held === undefined) open.set(key, window);
    window.entries.push(entry);
    window.newest = Math.max(window.newest, line.time);
    silentSince.set(key, window.newest);
    return window.entries;
  }

  /** A rest whose lines all stood in an earlier window says nothing new. */
  function end(key: string, reason: CloseReason): Cut[] {
    const window = open.get(key);
    if (window === undefined) return [];
    const { entries, overlap } = window;
    open.delete(key);
    silentSince.delete(key);
    return [{ key, entries: entries.length > overlap ? entries : [], reason, released: entries, overlap: 0 }];
  }

  return {
    add(entry) {
      const { key } = entry;
      const entries = append(entry);
      if (entries.length < size)
        return isEarly(entries.length, early)
          ? [{ key, entries: [...entries], reason: "open", released: [] }]
          : [];
      if (stride === size) return end(key, "full");
      const rest = entries.slice(stride);
      const newest = Math.max(...rest.map(({ line }) => line.time));
      open.set(key, { entries: rest, overlap: left, newest });
      silentSince.set(key, newest);
      return [{ key, entries, reason: "full", released: entries.slice(0, stride), overlap: left }];
    },
    advance: (streamTime) => silentSince.due(streamTime - idleMs).flatMap((key) => end(key, "gap")),
    flush: () => [...open.keys()].flatMap((key) => end(key, "flush")),
    evict() {
      const key = silentSince.first();
      return key === undefined ? [] : end(key, "evicted");
    },
    restore(entries, { overlap }) {
      for (const entry of entries) append(entry);
      for (const [key, window] of open) window.overlap = overlap.get(key) ?? 0;
    },
    openWindows: () => open.size,
  };
}
