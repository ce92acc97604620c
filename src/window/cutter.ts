import type { Entry } from "./entry.ts";
import type { CloseReason } from "./window.ts";

/** Lines of one key that belong together, closed. */
export interface Cut {
  key: string;
  /** In the order of scoring. */
  entries: Entry[];
  reason: CloseReason;
  /** Those of them that no later window needs. */
  released: readonly Entry[];
  /** Sliding windows: how many lines the key's next window has in common with this one. */
  overlap?: number;
}

/** One kind of window: pure, fed line by line in the order of the lines queue. */
export interface Cutter {
  add(entry: Entry): Cut[];
  /** What stream time has ended. */
  advance(streamTime: number): Cut[];
  /** Closes everything that is open; no entry stays. */
  flush(): Cut[];
  /** Takes back what was open: the entries that were not released, in their order. */
  restore(entries: Iterable<Entry>, overlap: ReadonlyMap<string, number>): void;
  openWindows(): number;
}
