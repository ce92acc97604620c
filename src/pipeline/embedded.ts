import type { RawRecord } from "../ingest/line.ts";
import { earliestTime, latestTime, type RawPartition, type RawTopic } from "../ingest/lines-message.ts";
import type { Verdict } from "../verdict/verdict.ts";
import type { PartitionWindower } from "../window/partition-windower.ts";
import type { Window } from "../window/window.ts";
import type { Detector } from "./detector.ts";
import type { AddressedChunk, DeadLetter, Ingester } from "./ingester.ts";

/** One file, standard input or generator: what a raw partition is in the distributed form. */
export interface EmbeddedSource {
  name: string;
  /** Of a topic's partition; the others are sources too, be they empty. 0 by default. */
  partition?: number;
  batches: AsyncIterable<RawRecord[]>;
}

export interface EmbeddedSummary {
  records: number;
  lines: number;
  /** Lines without a time of their own. */
  undated: number;
  deadLetters: number;
  windows: number;
  anomalous: number;
  undecided: number;
  /** Lines of windows longer than the model's limit that no score covers. */
  linesNotScored: number;
}

export interface EmbeddedOptions {
  /** Sources that grow (follow): read side by side, and quiet ones report the clock after this long. */
  live?: { idleAfterMs: number };
  /** Windows waiting for the detector at most; reading pauses at the bound. */
  maxPendingWindows: number;
  /** Ends reading: from outside, and when one of the sources fails. They are to listen to its signal too. */
  stop?: AbortController;
}

/**
 * The whole way in one process: the distributed form's stages with queues in memory and one lines-partition.
 * Windows that are open when the input ends are closed and judged.
 */
export async function runEmbedded(
  deps: { ingester: Ingester; windower: PartitionWindower; detector: Detector },
  sources: readonly EmbeddedSource[],
  handlers: {
    onVerdict: (verdict: Verdict) => void | Promise<void>;
    onDeadLetter: (letter: DeadLetter) => void | Promise<void>;
    onProgress?: (summary: EmbeddedSummary) => void;
  },
  options: EmbeddedOptions,
): Promise<EmbeddedSummary> {
  const { ingester, windower, detector } = deps;
  const summary = emptySummary();
  const judging = createJudgingQueue(detector, summary, handlers.onVerdict, options.maxPendingWindows);
  const topics = topicsOf(sources);
  let linesOffset = 0;

  async function advance(chunks: readonly AddressedChunk[]): Promise<void> {
    const batch = chunks.map(({ message }) => ({ offset: linesOffset++, message }));
    await judge(await windower.advance(batch));
  }

  async function judge(windows: readonly Window[]): Promise<void> {
    await judging.push(windows);
    await windower.published(windows.map(({ id }) => id));
  }

  async function take(source: RawPartition, records: readonly RawRecord[]): Promise<number> {
    const ingested = await ingester.ingest(source, records, topics);
    summary.records += records.length;
    summary.lines += ingested.lines;
    summary.undated += ingested.undated;
    summary.deadLetters += ingested.deadLetters.length;
    for (const letter of ingested.deadLetters) await handlers.onDeadLetter(letter);
    await advance(ingested.chunks);
    handlers.onProgress?.(summary);
    return ingested.chunks[0]?.message.streamTime ?? earliestTime;
  }

  const idle = (source: RawPartition, now: number) => advance(ingester.idle(source, now, topics));
  const ended = (source: RawPartition) => idle(source, latestTime);

  await windower.resume();
  try {
    if (options.live) await readSideBySide(sources, take, ended, idle, options);
    else await readOldestFirst(sources, take, ended, options.stop?.signal);
  } catch (thrown) {
    // The caller closes the model when it hears of this: nothing may be judged any more.
    await judging.abandon();
    throw thrown;
  }

  const flush = { offset: linesOffset++, message: { kind: "flush" as const, label: "end of input" } };
  await judge(await windower.advance([flush]));
  await judging.drained();
  handlers.onProgress?.(summary);
  return summary;
}

type Take = (source: RawPartition, records: readonly RawRecord[]) => Promise<number>;

/** Finished files: always read on where time is furthest behind, so that no line comes late for its session. */
async function readOldestFirst(
  sources: readonly EmbeddedSource[],
  take: Take,
  ended: (source: RawPartition) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const open = sources.map((source) => ({
    partition: partitionOfSource(source),
    batches: source.batches[Symbol.asyncIterator](),
    time: earliestTime,
  }));
  while (open.length > 0 && !signal?.aborted) {
    let oldest = open[0];
    for (const candidate of open) if (oldest && candidate.time < oldest.time) oldest = candidate;
    if (oldest === undefined) break;
    const next = await oldest.batches.next();
    if (next.done) {
      open.splice(open.indexOf(oldest), 1);
      await ended(oldest.partition);
    } else {
      oldest.time = await take(oldest.partition, next.value);
    }
  }
  await Promise.all(open.map(({ batches }) => batches.return?.()));
}

/** Sources that grow: each as it comes, one step of the pipeline at a time. */
async function readSideBySide(
  sources: readonly EmbeddedSource[],
  take: Take,
  ended: (source: RawPartition) => Promise<void>,
  idle: (source: RawPartition, now: number) => Promise<void>,
  options: EmbeddedOptions,
): Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(step: () => Promise<T>): Promise<T> => {
    const turn = last.then(step);
    last = turn.catch(() => undefined);
    return turn;
  };
  const idleAfterMs = options.live?.idleAfterMs ?? 0;
  const outcomes = await Promise.allSettled(
    sources.map(async (source) => {
      const partition = partitionOfSource(source);
      let lastRead = Date.now();
      const idleTimer = setInterval(() => {
        const now = Date.now();
        if (now - lastRead < idleAfterMs) return;
        void inTurn(() => idle(partition, now)).catch(() => undefined);
      }, 1000);
      try {
        for await (const records of source.batches) {
          if (options.stop?.signal.aborted) break;
          lastRead = Date.now();
          await inTurn(() => take(partition, records));
        }
        await inTurn(() => ended(partition));
      } catch (thrown) {
        options.stop?.abort();
        throw thrown;
      } finally {
        clearInterval(idleTimer);
      }
    }),
  );
  await last;
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** Judges closed windows in batches while the next are being read; pushes wait at the bound. */
function createJudgingQueue(
  detector: Detector,
  summary: EmbeddedSummary,
  onVerdict: (verdict: Verdict) => void | Promise<void>,
  maxPending: number,
) {
  const waiting: Window[] = [];
  let failed: { reason: unknown } | undefined;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (waiting.length > 0 && failed === undefined) {
      const windows = waiting.splice(0, maxPending);
      try {
        for (const verdict of await detector.detect(windows)) {
          count(summary, verdict);
          await onVerdict(verdict);
        }
      } catch (reason) {
        failed = { reason };
      }
    }
    running = undefined;
  }

  async function drained(): Promise<void> {
    await running;
    if (failed) throw failed.reason;
  }

  return {
    drained,
    /** Drops what waits; resolves when what is being judged has ended. */
    async abandon(): Promise<void> {
      waiting.length = 0;
      await running;
    },
    async push(windows: readonly Window[]): Promise<void> {
      if (windows.length > 0) waiting.push(...windows);
      if (waiting.length > 0 && running === undefined) running = run();
      if (waiting.length >= maxPending || failed) await drained();
    },
  };
}

function count(summary: EmbeddedSummary, verdict: Verdict): void {
  summary.windows++;
  if (verdict.verdict === "anomalous") summary.anomalous++;
  if (verdict.verdict === "undecided") summary.undecided++;
  else summary.linesNotScored += verdict.window.lines.length - verdict.linesScored;
}

function emptySummary(): EmbeddedSummary {
  return {
    records: 0,
    lines: 0,
    undated: 0,
    deadLetters: 0,
    windows: 0,
    anomalous: 0,
    undecided: 0,
    linesNotScored: 0,
  };
}

function topicsOf(sources: readonly EmbeddedSource[]): RawTopic[] {
  const counts = new Map<string, number>();
  for (const { name } of sources) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([topic, partitions]) => ({ topic, partitions }));
}

function partitionOfSource({ name, partition = 0 }: EmbeddedSource): RawPartition {
  return { topic: name, incarnation: "1", partition };
}
