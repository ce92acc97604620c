import type { Entry } from "./entry.ts";
import type { LinePlace, StreamTimeState } from "./stream-time.ts";
import type { Window } from "./window.ts";

/** Where the windows of one lines-partition are kept between its owners. Written by compare-and-apply. */
export interface WindowStore {
  load(): Promise<Stored>;
  /**
   * Replaces everything, unless another owner has come, or the owner has gone on, since `expected` was loaded.
   * @param expected undefined where nothing was loaded; without a mark where what was loaded was not whole, and so
   * nobody could go on.
   */
  reset(expected: Loaded | undefined, state: WindowState): Promise<Outcome>;
  /**
   * Changes what is stored: nothing of it if the store does not hold what `expected` names. Whoever dies within a large
   * change, or a reset, may leave a state that is not whole.
   */
  apply(expected: Fence, change: Change): Promise<Outcome>;
  /** Forgets windows that the windows queue has acknowledged. */
  acknowledge(ids: readonly string[]): Promise<void>;
}

export type Loaded = Pick<Fence, "incarnation"> & Partial<Pick<Fence, "mark">>;

export interface Stored {
  /** Of what is stored, whole or not; undefined where nothing is. */
  incarnation: string | undefined;
  /** undefined where not all of it is there and readable: a store may lose. */
  state: WindowState | undefined;
}

/** `fenced`: another owner has written; whoever is told so must stop or begin again from what is stored. */
export type Outcome = "applied" | "fenced";

export interface Fence {
  /** Of the state: each owner gives it a new one. */
  incarnation: string;
  /** Offset in the lines-partition up to which messages have been taken in; -1 before the first. */
  mark: number;
}

/** What the windower remembers besides lines. */
export interface Progress {
  /** Of the window's kind and sizes: windows cut otherwise cannot be continued. */
  specHash: string;
  /** Offset from which on all windows were cut so. */
  specSince: number;
  nextSeq: number;
  /** Of the newest line, and the `seq` from which on all lines had it. */
  maskHash: string;
  maskSince: number;
  streamTime: StreamTimeState;
  /** Since the oldest open line. */
  repeats: Repeats[];
}

/** A message with lines that were taken in before it: a rebuild that begins after their first coming must know of them. */
export interface Repeats extends LinePlace {
  /** Offset of the message; `offset` and `index` are of the newest line of its source before it. */
  at: number;
}

export interface Change {
  fence: Fence;
  progress: Progress;
  /** Entries that are open from now on, and those that no longer are (by seq). */
  opened: readonly Entry[];
  released: readonly number[];
  /** Sliding windows: by key, how many of its open lines stood in an earlier window; 0 forgets the key. */
  overlap: ReadonlyMap<string, number>;
  /** Windows that closed, kept until they are acknowledged. */
  pending: readonly Window[];
}

export interface WindowState {
  fence: Fence;
  progress: Progress;
  /** In the order of seq. */
  entries: Entry[];
  overlap: Map<string, number>;
  /** Closed and not acknowledged. */
  pending: Window[];
}
