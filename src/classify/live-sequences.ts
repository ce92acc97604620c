import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";

/** A window that goes on, and the name it is known by. */
export interface LiveWindow {
  id: string;
  /** Nothing comes after this: it need not be kept. */
  isLast: boolean;
}

export interface Live {
  sequence: number;
  lines: number;
  /** Of their vectors: a window whose earlier lines have changed since is another one. */
  hash: string;
}

/** Which sequences of the KV cache hold lines of windows that go on: of the windows used last. */
export interface LiveSequences {
  /** The sequence that holds the first `lines` lines of this window; undefined where none does. */
  find(id: string, window: Float32Array): Live | undefined;
  /** The sequence to keep this window in. */
  keep(id: string, window: Float32Array): number;
  drop(id: string): void;
  /** Of all windows. */
  clear(): void;
}

/** @param options.sequences those that may be used. */
export function createLiveSequences(options: { width: number; sequences: readonly number[] }): LiveSequences {
  const { width, sequences } = options;
  const free = [...sequences];
  const live = new LRUCache<string, Live>({
    max: Math.max(1, sequences.length),
    dispose: ({ sequence }) => free.push(sequence),
    noDisposeOnSet: true,
  });
  const hashOf = (window: Float32Array, lines: number) =>
    createHash("sha256")
      .update(new Uint8Array(window.buffer, window.byteOffset, 4 * lines * width))
      .digest("base64");
  return {
    find(id, window) {
      const found = live.get(id);
      if (found === undefined) return undefined;
      const isBeginning = found.lines * width <= window.length && hashOf(window, found.lines) === found.hash;
      return isBeginning ? found : undefined;
    },
    keep(id, window) {
      const lines = window.length / width;
      const known = live.get(id);
      if (known === undefined && free.length === 0) live.pop();
      const sequence = known?.sequence ?? free.pop();
      if (sequence === undefined) throw new Error("No sequence is left to keep a window in.");
      live.set(id, { sequence, lines, hash: hashOf(window, lines) });
      return sequence;
    },
    drop: (id) => void live.delete(id),
    clear: () => live.clear(),
  };
}
