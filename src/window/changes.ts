import type { Entry } from "./entry.ts";
import type { Change, Fence, Progress } from "./store.ts";
import type { Window } from "./window.ts";

/** What a batch of messages changes, collected: an entry that opens and is released in one batch never reaches the store. */
export class Changes {
  readonly closed: Window[] = [];
  /** By id: only the newest. */
  readonly #early = new Map<string, Window>();
  readonly #opened = new Map<number, Entry>();
  readonly #released: number[] = [];
  readonly #overlap = new Map<string, number>();

  open(entry: Entry): void {
    this.#opened.set(entry.seq, entry);
  }
  release(entry: Entry): void {
    if (!this.#opened.delete(entry.seq)) this.#released.push(entry.seq);
  }
  overlap(key: string, lines: number): void {
    this.#overlap.set(key, lines);
  }
  close(window: Window): void {
    this.closed.push(window);
    for (const id of [window.id, ...window.formerIds]) this.#early.delete(id);
  }
  early(window: Window): void {
    this.#early.set(window.id, window);
  }
  /** Of windows that have not closed since. */
  earlyRevisions(): Window[] {
    return [...this.#early.values()];
  }
  toChange(fence: Fence, progress: Progress): Change {
    return {
      fence,
      progress,
      opened: [...this.#opened.values()],
      released: this.#released,
      overlap: this.#overlap,
      pending: this.closed,
    };
  }
}
