import { createHash, randomUUID } from "node:crypto";
import { LogGuardianError } from "../errors.ts";
import type { LinesMessage, RawPartition } from "../ingest/lines-message.ts";
import { type Logger, silentLogger } from "../telemetry/logger.ts";
import { Changes } from "./changes.ts";
import type { Cut, Cutter } from "./cutter.ts";
import { bytesOf, type Entry } from "./entry.ts";
import { createSessionCutter } from "./session.ts";
import { createSlidingCutter } from "./sliding.ts";
import type { Fence, Loaded, Progress, Repeats, WindowState, WindowStore } from "./store.ts";
import { createStreamTime, isUpTo, type LinePlace, type StreamTime } from "./stream-time.ts";
import { createTimeCutter } from "./time.ts";
import type { EarlySpec, Window, WindowSpec } from "./window.ts";

/**
 * The second stage, for one lines-partition: its messages, in order, to closed windows. A function of the messages
 * alone: the same partition gives the same windows, however its messages are batched, whenever they are read, and
 * however often their readers died.
 */
export interface PartitionWindower {
  /**
   * Takes the partition over: from the store, or where it has lost its state by reading again from the commit.
   * Call once, before `advance`. @param boundsOf the lines-partition: what it holds now, from `start` to before `end`.
   * @returns where to read on, and closed windows that may not have been published.
   */
  resume(
    committed?: CommitPoint,
    boundsOf?: () => Promise<{ start: number; end: number }>,
  ): Promise<{ position: number; pending: Window[] }>;
  /**
   * Takes messages in, and passes those that cannot be read (undefined). The windows that they close are durable when it
   * returns, and to be published then; so are early revisions of those that stay open, which are not durable: whoever dies
   * sends none, and the next comes some lines later.
   * @throws LogGuardianError LG_WINDOW_FENCED when the partition has another owner.
   */
  advance(batch: readonly { offset: number; message: LinesMessage | undefined }[]): Promise<Window[]>;
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
  /** How windows were cut from `rebuildFrom` to `offset`; empty where they were cut in more than one way. */
  specHash: string;
  /** From `rebuildFrom` on. */
  repeats: Repeats[];
  /** How far each raw partition had been taken in. */
  sources: (RawPartition & LinePlace)[];
}

/** Beyond either, the window that was silent for longest closes. */
export interface OpenLimits {
  maxOpenWindows: number;
  /** Of open lines, about. */
  maxOpenBytes: number;
}

/** What is stored with each change is bounded. Before the oldest of them a rebuild does not know what was repeated. */
const mostRepeats = 500;

const noLimits: OpenLimits = {
  maxOpenWindows: Number.POSITIVE_INFINITY,
  maxOpenBytes: Number.POSITIVE_INFINITY,
};

/**
 * Reading again from R (`rebuildFrom`) to S (`offset`) after the store has lost its state. Every line that was open at S
 * stands at R or later and must end in a window; every other one was published. Lines that came before R and once more
 * after it are known as repeats by `repeats`. What closes on the way is dropped only where it certainly holds no line
 * that was open at S:
 *
 * - Sessions that end by the gap. Stream time is never ahead of what it was when these messages were first read, and
 *   each session is at least as long as it was then, all its open lines being read again. So a session that ends now had
 *   ended then. They come back exactly, but for one that was joined by a line which came late for it just after R.
 * - Time windows. One that ends now had ended then, and a line of which it is the last window is open no more. They come
 *   back exactly.
 * - A session or time window that closed otherwise may have begun elsewhere than it did then, and have taken lines from
 *   one that was open at S. It is published, and so is whatever closes of its key from there on: twice at worst, and with
 *   the same id where the first line is the same.
 * - Of a sliding window's key at most the last `size - 1` lines were open at S. They are kept, by a stride of one line
 *   whose full windows are dropped, and windows go on from them: cut at other lines, some of them in two windows.
 * - Where windows were cut otherwise before S nothing is known of them, and all that closes is published.
 */
interface Rebuild {
  until: CommitPoint;
  /** What the store held. */
  expected: Loaded | undefined;
  isSpecSame: boolean;
  /** Keys of which a window closed otherwise than by gap or time. */
  recut: Set<string>;
}

export function createPartitionWindower(
  deps: { store: WindowStore; logger?: Logger },
  options: {
    pipeline: string;
    spec: WindowSpec;
    limits?: OpenLimits;
    /** Windows are judged while they are open, too. */
    early?: EarlySpec | undefined;
  },
): PartitionWindower {
  const { store, logger = silentLogger } = deps;
  const { pipeline, spec, limits = noLimits, early } = options;
  const specHash = createHash("sha256").update(JSON.stringify(spec)).digest("hex").slice(0, 16);
  let cutter = createCutter(spec, early);
  const open = new Map<number, Entry>();
  let openBytes = 0;
  const overlap = new Map<string, number>();
  let streamTime: StreamTime = createStreamTime();
  let fence: Fence = { incarnation: randomUUID(), mark: -1 };
  let nextSeq = 0;
  let maskHash = "";
  /** Number (`seq`) from which on lines were masked so. */
  let maskSince = 0;
  let repeatedLines = 0;
  let repeats: Repeats[] = [];
  let rebuilding: Rebuild | undefined;
  /** Offset from which on all windows were cut by `spec`, as lines came. */
  let specSince = 0;

  const progress = (): Progress => ({
    specHash,
    specSince,
    nextSeq,
    maskHash,
    maskSince,
    streamTime: streamTime.snapshot(),
    repeats,
  });

  /** Smallest offset with a line in an open window. */
  function oldestOpen(otherwise: number): number {
    const [oldest] = open.values();
    return oldest?.offset ?? otherwise;
  }

  function take(offset: number, message: LinesMessage, change: Changes): void {
    if (message.kind === "flush") {
      for (const cut of cutter.flush()) close(cut, change);
      return;
    }
    if (message.lines.length > 0 && message.maskHash !== maskHash) {
      maskHash = message.maskHash;
      maskSince = nextSeq;
    }
    const { source } = message;
    const known = rebuilding?.until.repeats.find(({ at }) => at === offset);
    if (known !== undefined) streamTime.tookIn(source, known);
    const newest = streamTime.newest(source);
    const repeatedBefore = repeatedLines;
    for (const line of message.lines) {
      if (newest !== undefined && isUpTo(line.position, newest)) {
        repeatedLines++;
        continue;
      }
      for (const key of line.keys)
        add({ seq: nextSeq++, offset, key, incarnation: source.incarnation, line }, change);
    }
    if (newest !== undefined && repeatedLines > repeatedBefore)
      repeats = [...repeats, { at: offset, offset: newest.offset, index: newest.index }];
    streamTime.report(message);
    for (const cut of cutter.advance(streamTime.now())) close(cut, change);
  }

  function add(entry: Entry, change: Changes): void {
    hold(entry);
    change.open(entry);
    for (const cut of cutter.add(entry)) close(cut, change);
    while (open.size > 0 && (cutter.openWindows() > limits.maxOpenWindows || openBytes > limits.maxOpenBytes))
      for (const cut of cutter.evict()) close(cut, change);
  }

  function hold(entry: Entry): void {
    open.set(entry.seq, entry);
    openBytes += bytesOf(entry);
  }

  function close(cut: Cut, change: Changes): void {
    if (cut.reason === "open") {
      if (rebuilding === undefined) change.early(windowOf(cut));
      return;
    }
    for (const entry of cut.released) {
      open.delete(entry.seq);
      openBytes -= bytesOf(entry);
      change.release(entry);
    }
    if (cut.overlap !== undefined) {
      if (cut.overlap > 0) overlap.set(cut.key, cut.overlap);
      else overlap.delete(cut.key);
      change.overlap(cut.key, cut.overlap);
    }
    if (cut.entries.length > 0 && !wasPublished(cut)) change.close(windowOf(cut));
  }

  function windowOf(cut: Cut): Window {
    const { key, entries, reason, begin, formerFirst = [] } = cut;
    const lines = entries.map(({ line }) => line);
    const [first, last] = [entries[0], lines.at(-1)];
    if (first === undefined || last === undefined) throw new Error("A window was cut without lines.");
    const id = idOf(pipeline, first, begin);
    const formerIds = early === undefined ? [] : formerFirst.map((entry) => idOf(pipeline, entry, begin));
    // An early revision's number is at most that of its lines, whatever `everyLines` was then: the final one is above.
    const final = early === undefined ? 0 : lines.length + 1;
    return {
      id,
      pipeline,
      key,
      revision: early !== undefined && reason === "open" ? lines.length / early.everyLines : final,
      reason,
      start: first.line.time,
      end: last.time,
      lines,
      maskHash: maskedBy(cut),
      formerIds,
    };
  }

  /** Lines of which some were masked for one bundle and some for another are masked again by who judges them. */
  function maskedBy({ entries }: Cut): string {
    return entries.every(({ seq }) => seq >= maskSince) ? maskHash : "";
  }

  /** Only while reading again; see `Rebuild`. */
  function wasPublished({ key, reason }: Cut): boolean {
    if (rebuilding === undefined || !rebuilding.isSpecSame) return false;
    if (reason === "full") return true;
    if (reason === "gap" || reason === "time") return !rebuilding.recut.has(key);
    rebuilding.recut.add(key);
    return false;
  }

  function beginRebuild(until: CommitPoint, expected: Loaded | undefined): void {
    const isSpecSame = until.specHash === specHash;
    rebuilding = { until, expected, isSpecSame, recut: new Set() };
    if (isSpecSame && spec.kind === "sliding")
      cutter = createSlidingCutter({ ...spec, stride: 1 }, { left: 0 });
  }

  function endRebuild({ until, isSpecSame }: Rebuild, change: Changes): void {
    specSince = until.rebuildFrom;
    streamTime.reach(until.streamTime);
    for (const source of until.sources) streamTime.tookIn(source, source);
    for (const cut of cutter.advance(streamTime.now())) close(cut, change);
    if (!isSpecSame || spec.kind !== "sliding") return;
    overlap.clear();
    cutter = createCutter(spec, early);
    cutter.restore(open.values(), { overlap, streamTime: streamTime.now() });
    if (open.size > 0)
      logger.warn("Sliding windows were rebuilt: no line is lost, but they may be cut at other lines.", {
        pipeline,
      });
  }

  /** Goes on with windows that were cut alike. */
  async function takeOver(state: WindowState): Promise<void> {
    specSince = state.progress.specSince;
    for (const entry of state.entries) hold(entry);
    for (const [key, lines] of state.overlap) overlap.set(key, lines);
    cutter.restore(state.entries, { overlap: state.overlap, streamTime: streamTime.now() });
    // A new incarnation shuts the former owner out, should it still live.
    const mine = { incarnation: fence.incarnation, mark: state.fence.mark };
    const nothing = new Changes().toChange(mine, progress());
    if ((await store.apply(state.fence, nothing)) === "fenced") throw fenced(pipeline);
    fence = mine;
  }

  /** Lines that stood in no window yet go on in new ones. Returns what that closes. */
  async function cutAnew(state: WindowState, mark: number): Promise<Window[]> {
    specSince = mark + 1;
    const change = new Changes();
    const stood = new Map(state.overlap);
    for (const entry of state.entries) {
      const left = stood.get(entry.key) ?? 0;
      if (left > 0) stood.set(entry.key, left - 1);
      else add(entry, change);
    }
    for (const cut of cutter.advance(streamTime.now())) close(cut, change);
    for (const window of state.pending) change.close(window);
    await persist(change, mark, { expected: state.fence });
    return change.closed;
  }

  /** Repeats that no rebuild will meet, or too many for a commit. */
  function forgetRepeats(nextOffset: number): void {
    const from = oldestOpen(nextOffset);
    const met = repeats.filter(({ at }) => at >= from);
    const lastForgotten = met.at(-mostRepeats - 1);
    repeats = met.slice(-mostRepeats);
    if (lastForgotten !== undefined) specSince = Math.max(specSince, lastForgotten.at + 1);
  }

  async function persist(change: Changes, mark: number, reset: { expected: Loaded | undefined } | undefined) {
    forgetRepeats(mark + 1);
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
    async resume(committed, boundsOf = async () => ({ start: 0, end: Number.MAX_SAFE_INTEGER })) {
      const { incarnation, state: stored } = await store.load();
      // Later than the state: another owner may be going on, and a log that ends below its mark was made anew.
      const log = await boundsOf();
      const loaded = incarnation === undefined ? undefined : { incarnation };
      const state = stored === undefined || hasGap(stored, committed, log.start) ? undefined : stored;
      if (state !== undefined) {
        streamTime = createStreamTime(state.progress.streamTime);
        ({ nextSeq, maskHash, maskSince, repeats } = state.progress);
        const isAnew = state.fence.mark >= log.end;
        if (isAnew) {
          logger.error("The lines topic is shorter than what was read of it: it was made anew.", {
            pipeline,
            read: state.fence.mark + 1,
            end: log.end,
          });
          for (const entry of state.entries) entry.offset = log.start;
          repeats = [];
        }
        let pending = state.pending;
        if (state.progress.specHash === specHash && !isAnew) await takeOver(state);
        else pending = await cutAnew(state, isAnew ? log.start - 1 : state.fence.mark);
        if (!isAnew && committed !== undefined && fence.mark + 1 < committed.offset)
          logger.warn(
            "The store has less than was committed, as after a failover; what followed is read again.",
            {
              pipeline,
              from: fence.mark + 1,
              to: committed.offset,
            },
          );
        return { position: fence.mark + 1, pending };
      }
      if (committed === undefined || committed.offset > log.end) {
        await persist(new Changes(), log.start - 1, { expected: loaded });
        return { position: log.start, pending: [] };
      }
      beginRebuild(committed, loaded);
      fence.mark = committed.rebuildFrom - 1;
      logger.warn("The store does not have a partition's windows; they are rebuilt from the lines topic.", {
        pipeline,
        from: committed.rebuildFrom,
        to: committed.offset,
        cut: committed.specHash === specHash ? "as before" : "otherwise",
      });
      return { position: committed.rebuildFrom, pending: [] };
    },

    async advance(batch) {
      const change = new Changes();
      let reset: { expected: Loaded | undefined } | undefined;
      let mark = fence.mark;
      for (const { offset, message } of batch) {
        if (offset <= mark) continue;
        if (rebuilding !== undefined && offset >= rebuilding.until.offset) {
          endRebuild(rebuilding, change);
          reset = { expected: rebuilding.expected };
          rebuilding = undefined;
        }
        if (message !== undefined) take(offset, message, change);
        mark = offset;
      }
      if (rebuilding !== undefined) fence.mark = mark;
      else if (mark > fence.mark) await persist(change, mark, reset);
      return [...change.closed, ...change.earlyRevisions()];
    },

    published: (ids) => (ids.length === 0 ? Promise.resolve() : store.acknowledge(ids)),

    commitPoint() {
      if (rebuilding !== undefined) return rebuilding.until;
      const offset = fence.mark + 1;
      const rebuildFrom = oldestOpen(offset);
      const cutBy = rebuildFrom >= specSince ? specHash : "";
      const { reached, sources } = streamTime.snapshot();
      return { offset, rebuildFrom, streamTime: reached, specHash: cutBy, repeats, sources };
    },

    stats: () => ({ openWindows: cutter.openWindows(), repeatedLines }),
  };
}

/** Whether the log no longer holds what follows an older state, though it holds all that a rebuild reads. */
function hasGap({ fence }: WindowState, committed: CommitPoint | undefined, start: number): boolean {
  return (
    committed !== undefined &&
    fence.mark + 1 < Math.min(start, committed.offset) &&
    start <= committed.rebuildFrom
  );
}

function fenced(pipeline: string): LogGuardianError {
  return new LogGuardianError(
    "LG_WINDOW_FENCED",
    `Another windower has taken over a partition of ${pipeline}, or the store has lost its windows.`,
    "Nothing is to be done: the partition is taken up again from what is stored or from the lines topic.",
  );
}

function createCutter(spec: WindowSpec, early: EarlySpec | undefined): Cutter {
  if (spec.kind === "sliding") return createSlidingCutter(spec, { early });
  return spec.kind === "session" ? createSessionCutter(spec, early) : createTimeCutter(spec, early);
}

/** Of the window that begins with this entry. @param begin where a time window begins. */
function idOf(pipeline: string, { key, incarnation, line }: Entry, begin: number | undefined): string {
  const { topic, partition, offset, index } = line.position;
  // The first incarnation goes without saying: ids of files and of topics that were never made anew are plain.
  const incarnations = incarnation === "1" ? [] : [incarnation];
  const begins = begin === undefined ? [] : [{ begin }];
  return createHash("sha256")
    .update(JSON.stringify([pipeline, key, topic, ...incarnations, partition, offset, index, ...begins]))
    .digest("hex")
    .slice(0, 32);
}
