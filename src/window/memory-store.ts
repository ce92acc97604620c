import type { Entry } from "./entry.ts";
import type { Fence, Progress, WindowStore } from "./store.ts";
import type { Window } from "./window.ts";

/** The store of the embedded form: it lives and dies with its process. */
export function createMemoryStore(): WindowStore {
  let held: { fence: Fence; progress: Progress } | undefined;
  const entries = new Map<number, Entry>();
  const overlap = new Map<string, number>();
  const pending = new Map<string, Window>();
  return {
    async load() {
      if (held === undefined) return { incarnation: undefined, state: undefined };
      const { fence, progress } = held;
      return {
        incarnation: fence.incarnation,
        state: {
          fence,
          progress,
          entries: [...entries.values()],
          overlap: new Map(overlap),
          pending: [...pending.values()],
        },
      };
    },
    async reset(expected, state) {
      if (held !== undefined && held.fence.incarnation !== expected?.incarnation) return "fenced";
      if (held !== undefined && expected?.mark !== undefined && held.fence.mark !== expected.mark)
        return "fenced";
      held = { fence: state.fence, progress: state.progress };
      for (const map of [entries, overlap, pending]) map.clear();
      for (const entry of state.entries) entries.set(entry.seq, entry);
      for (const [key, lines] of state.overlap) overlap.set(key, lines);
      for (const window of state.pending) pending.set(window.id, window);
      return "applied";
    },
    async apply(expected, change) {
      if (held?.fence.incarnation !== expected.incarnation || held.fence.mark !== expected.mark)
        return "fenced";
      held = { fence: change.fence, progress: change.progress };
      for (const entry of change.opened) entries.set(entry.seq, entry);
      for (const seq of change.released) entries.delete(seq);
      for (const [key, lines] of change.overlap)
        if (lines > 0) overlap.set(key, lines);
        else overlap.delete(key);
      for (const window of change.pending) pending.set(window.id, window);
      return "applied";
    },
    async acknowledge(ids) {
      for (const id of ids) pending.delete(id);
    },
  };
}
