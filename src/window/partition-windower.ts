import { createHash, randomUUID } from "node:crypto";
import { LogGuardianError } from "../errors.ts";
import type { LinesMessage } from "../ingest/lines-message.ts";
import { type Logger, silentLogger } from "../telemetry/logger.ts";
import type { Cut, Cutter } from "./cutter.ts";
import type { Entry } from "./entry.ts";
import { createSessionCutter } from "./session.ts";
import { createSlidingCutter } from "./sliding.ts";
import type { Change, Fence, Progress, WindowStore } from "./store.ts";
import { createStreamTime, type StreamTime } from "./stream-time.ts";
import type { Window, WindowSpec } from "./window.ts";

/**
 * The second stage, for one lines-partition: its messages, in order, to closed windows. A function of the messages
 * alone: the same partition gives the same windows, however its messages are batched, whenever they are read, and
 * however often their readers died.
 */
export interface PartitionWindower {
  /**
   * Takes the partition over: from the store, or where it has lost its state by reading again from the commit.
   * Call once, before `advance`. @param log what the lines-partition holds now: from `start` to before `end`.
   * @returns where to read on, and closed windows that may not have been published.
   */
  resume(
    committed?: CommitPoint,
    log?: { start: number; end: number },
  ): Promise<{ position: number; pending: Window[] }>;
  /**
   * Takes messages in. The windows that they close are durable when it returns, and to be published then.
   * @throws LogGuardianError LG_WINDOW_FENCED when the partition has another owner.
   */
  advance(batch: readonly { offset: number; message: LinesMessage }[]): Promise<Window[]>;
  /** The windows queue holds these windows. */
  published(ids: readonly string[]): Promise<void>;
  commitPoint(): CommitPoint;
  stats(): { openWindows: number; repeatedLines: number };
}

/** What a commit on the lines-partition says; enough to do without the store. */
export interface CommitPoint {
  /** Everything below has been taken in, and published where due. */
  offset: number;
  /** Smallest offset with a line in a window that was open at `offset`. */
  rebuildFrom: number;
  /** Stream time at `offset`. */
  streamTime: number;
}

export function createPartitionWindower(
  deps: { store: WindowStore; logger?: Logger },
  options: { pipeline: string; spec: WindowSpec },
): PartitionWindower {
  const { store, logger = silentLogger } = deps;
  const { pipeline, spec } = options;
  const specHash = createHash("sha256").update(JSON.stringify(spec)).digest("hex").slice(0, 16);
  const cutter: Cutter = spec.kind === "sliding" ? createSlidingCutter(spec) : createSessionCutter(spec);
  const open = new Map<number, Entry>();
  const overlap = new Map<string, number>();
  let streamTime: StreamTime = createStreamTime();
  let fence: Fence = { incarnation: randomUUID(), mark: -1 };
  let nextSeq = 0;
  let maskHash = "";
  let repeatedLines = 0;
  /** While messages are read a second time: the commit up to which their windows were published before. */
  let rebuilding: { until: CommitPoint; expected: string | undefined } | undefined;

  const progress = (): Progress => ({ specHash, nextSeq, maskHash, streamTime: streamTime.snapshot() });

  function take(offset: number, message: LinesMessage, change: Changes): void {
    if (message.kind === "flush") {
      for (const cut of cutter.flush()) close(cut, change);
      for (const entry of open.values()) change.release(entry);
      open.clear();
      overlap.clear();
      change.clearOverlap();
      return;
    }
    maskHash = message.maskHash;
    for (const { keys, ...line } of message.lines) {
      if (streamTime.isRepeat(message, line.position)) {
        repeatedLines++;
        continue;
      }
      for (const key of keys) {
        const entry = { seq: nextSeq++, offset, key, line };
        open.set(entry.seq, entry);
        change.open(entry);
        for (const cut of cutter.add(entry)) close(cut, change);
      }
    }
    streamTime.report(message);
    for (const cut of cutter.advance(streamTime.now())) close(cut, change);
  }

  function close(cut: Cut, change: Changes): void {
    for (const entry of cut.released) {
      open.delete(entry.seq);
      change.release(entry);
    }
    if (cut.overlap !== undefined) {
      overlap.set(cut.key, cut.overlap);
      change.overlap(cut.key, cut.overlap);
    }
    change.close(windowOf(pipeline, cut, maskHash));
  }

  /** What closed before the commit was published then; what is open now was open then. */
  function endRebuild(until: CommitPoint): void {
    for (const cut of cutter.advance(until.streamTime))
      for (const entry of cut.released) open.delete(entry.seq);
    if (spec.kind === "sliding" && open.size > 0)
      logger.warn("Sliding windows were rebuilt: no line is lost, but they may be cut at other lines.", {
        pipeline,
      });
  }

  async function persist(change: Changes, mark: number, reset: { expected: string | undefined } | undefined) {
    const next: Fence = { incarnation: fence.incarnation, mark };
    const outcome = reset
      ? await store.reset(reset.expected, {
          fence: next,
          progress: progress(),
          entries: [...open.values()],
          overlap,
          pending: change.closed,
        })
      : await store.apply(fence, change.toChange(next, progress()));
    if (outcome === "fenced") throw fenced(pipeline);
    fence = next;
  }

  return {
    async resume(committed, log = { start: 0, end: Number.MAX_SAFE_INTEGER }) {
      const state = await store.load();
      if (state !== undefined && state.progress.specHash === specHash) {
        const isAnew = state.fence.mark >= log.end;
        if (isAnew) {
          logger.error("The lines topic is shorter than what was read of it: it was made anew.", {
            pipeline,
            read: state.fence.mark + 1,
            end: log.end,
          });
          for (const entry of state.entries) entry.offset = log.start;
        }
        // A new incarnation shuts the former owner out, should it still live.
        const mark = isAnew ? log.start - 1 : state.fence.mark;
        const mine = { incarnation: fence.incarnation, mark };
        const nothing = new Changes().toChange(mine, state.progress);
        if ((await store.apply(state.fence, nothing)) === "fenced") throw fenced(pipeline);
        fence = mine;
        for (const entry of state.entries) open.set(entry.seq, entry);
        for (const [key, lines] of state.overlap) overlap.set(key, lines);
        cutter.restore(state.entries, state.overlap);
        streamTime = createStreamTime(state.progress.streamTime);
        ({ nextSeq, maskHash } = state.progress);
        return { position: fence.mark + 1, pending: state.pending };
      }
      const expected = state?.fence.incarnation;
      if (committed === undefined || committed.offset > log.end) {
        fence.mark = log.start - 1;
        await persist(new Changes(), fence.mark, { expected });
        return { position: log.start, pending: state?.pending ?? [] };
      }
      rebuilding = { until: committed, expected };
      fence.mark = committed.rebuildFrom - 1;
      logger.warn("The windows of a partition are rebuilt from the lines topic.", {
        pipeline,
        from: committed.rebuildFrom,
        to: committed.offset,
        reason: state === undefined ? "the store does not have them" : "the windows are cut otherwise now",
      });
      return { position: committed.rebuildFrom, pending: state?.pending ?? [] };
    },

    async advance(batch) {
      const change = new Changes();
      let reset: { expected: string | undefined } | undefined;
      let mark = fence.mark;
      for (const { offset, message } of batch) {
        if (offset <= mark) continue;
        if (rebuilding !== undefined && offset >= rebuilding.until.offset) {
          endRebuild(rebuilding.until);
          reset = { expected: rebuilding.expected };
          rebuilding = undefined;
        }
        take(offset, message, change);
        if (rebuilding !== undefined) change.suppress();
        mark = offset;
      }
      if (rebuilding !== undefined) fence.mark = mark;
      else if (mark > fence.mark) await persist(change, mark, reset);
      return change.closed;
    },

    published: (ids) => (ids.length === 0 ? Promise.resolve() : store.acknowledge(ids)),

    commitPoint() {
      if (rebuilding !== undefined) return rebuilding.until;
      const offset = fence.mark + 1;
      const [oldest] = open.values();
      return { offset, rebuildFrom: oldest?.offset ?? offset, streamTime: streamTime.now() };
    },

    stats: () => ({ openWindows: cutter.openWindows(), repeatedLines }),
  };
}

/** What a batch of messages changes, collected: an entry that opens and is released in one batch never reaches the store. */
class Changes {
  closed: Window[] = [];
  readonly #opened = new Map<number, Entry>();
  readonly #released: number[] = [];
  readonly #overlap = new Map<string, number>();
  #clearOverlap = false;

  open(entry: Entry): void {
    this.#opened.set(entry.seq, entry);
  }
  release(entry: Entry): void {
    if (!this.#opened.delete(entry.seq)) this.#released.push(entry.seq);
  }
  overlap(key: string, lines: number): void {
    this.#overlap.set(key, lines);
  }
  clearOverlap(): void {
    this.#overlap.clear();
    this.#clearOverlap = true;
  }
  close(window: Window): void {
    this.closed.push(window);
  }
  suppress(): void {
    this.closed = [];
  }
  toChange(fence: Fence, progress: Progress): Change {
    return {
      fence,
      progress,
      opened: [...this.#opened.values()],
      released: this.#released,
      overlap: this.#overlap,
      clearOverlap: this.#clearOverlap,
      pending: this.closed,
    };
  }
}

function fenced(pipeline: string): LogGuardianError {
  return new LogGuardianError(
    "LG_WINDOW_FENCED",
    `Another windower has taken over a partition of ${pipeline}.`,
    "Nothing is to be done: the partition is taken up again from what is stored, or by the other.",
  );
}

function windowOf(pipeline: string, { key, entries, reason }: Cut, maskHash: string): Window {
  const lines = entries.map(({ line }) => line);
  const [first, last] = [lines[0], lines.at(-1)];
  if (first === undefined || last === undefined) throw new Error("A window was cut without lines.");
  const { topic, partition, offset, index } = first.position;
  const id = createHash("sha256")
    .update(JSON.stringify([pipeline, key, topic, partition, offset, index]))
    .digest("hex")
    .slice(0, 32);
  return { id, pipeline, key, revision: 0, reason, start: first.time, end: last.time, lines, maskHash };
}
