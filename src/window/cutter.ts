import type { Entry } from "./entry.ts";
import type { CloseReason, EarlySpec } from "./window.ts";

/** Lines of one key that belong together. */
export interface Cut {
  key: string;
  /** In the order of scoring; none where nothing is to be scored and lines are only released. */
  entries: Entry[];
  /** `open`: the window goes on, and nothing is released. */
  reason: CloseReason | "open";
  /** Those of them that no later window needs. */
  released: readonly Entry[];
  /** Sliding windows: how many of the key's open lines stood in an earlier window from now on. */
  overlap?: number;
  /** Time windows: where it begins. Several may have one first line. */
  begin?: number;
  /** Lines that were the first of the window, or of one that it took in, until another came late. */
  formerFirst?: readonly Entry[];
}

/** One kind of window: pure, fed line by line in the order of the lines queue. */
export interface Cutter {
  add(entry: Entry): Cut[];
  /** What stream time has ended. */
  advance(streamTime: number): Cut[];
  /** Closes everything that is open; no entry stays. */
  flush(): Cut[];
  /** Closes what has been silent for longest, to make room: none where nothing is open. */
  evict(): Cut[];
  /** Takes back what was open: the entries that were not released, in their order. */
  restore(entries: Iterable<Entry>, at: { overlap: ReadonlyMap<string, number>; streamTime: number }): void;
  openWindows(): number;
}

/** Whether a window of so many lines is cut early. */
export function isEarly(lines: number, early: EarlySpec | undefined): boolean {
  return early !== undefined && lines <= early.maxLines && lines % early.everyLines === 0;
}
