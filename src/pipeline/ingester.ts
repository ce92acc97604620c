import { setImmediate } from "node:timers/promises";
import { type LogGuardianError, reasonOf } from "../errors.ts";
import { partitionOf } from "../ingest/keys.ts";
import type { KeyedLine, RawRecord } from "../ingest/line.ts";
import type { LineReader, LinesRead } from "../ingest/line-reader.ts";
import { earliestTime, type LinesChunk, type RawPartition, type RawTopic } from "../ingest/lines-message.ts";
import { createPieces, type Pieces } from "../ingest/pieces.ts";

export interface AddressedChunk {
  /** Which lines-partition it is for. */
  partition: number;
  message: LinesChunk;
}

export interface DeadLetter {
  record: RawRecord;
  error: LogGuardianError | Error;
}

export interface Ingested extends Omit<LinesRead, "lines" | "undated"> {
  /** One chunk for every lines-partition, in its order: progress reaches those without lines too. */
  chunks: AddressedChunk[];
  deadLetters: DeadLetter[];
  lines: number;
  /** Lines without a time of their own. */
  undated: number;
}

export interface Ingester {
  /**
   * Reads the records of one raw partition, in order, one batch at a time.
   * A record that cannot be decoded becomes a dead letter; it never stops the batch.
   */
  ingest(source: RawPartition, records: readonly RawRecord[], topics: RawTopic[]): Promise<Ingested>;
  /** Progress as it is. */
  progress(source: RawPartition, topics: RawTopic[]): AddressedChunk[];
  /** A raw partition that was read to its end reports the clock's time; what it still owes of cut lines does not come. */
  idle(source: RawPartition, nowMs: number, topics: RawTopic[]): AddressedChunk[];
  /** Where the oldest piece of a line stands that is not whole yet: it must be read again after a crash. */
  oldestPiece(source: RawPartition): number | undefined;
}

/** A long line may take milliseconds to mask: after so many, requests and heartbeats have their turn. */
const longestTurnMs = 50;

interface SourceProgress {
  offset: number;
  index: number;
  streamTime: number;
  /** Of a file's last line that had one of its own. */
  lastTime: number | undefined;
  pieces: Pieces;
}

/** The first stage: records to masked lines, addressed to the lines-partition that owns their window key. */
export function createIngester(deps: { reader: LineReader }, options: { partitions: number }): Ingester {
  const { reader } = deps;
  const { partitions } = options;
  const progress = new Map<string, SourceProgress>();

  const noLines = () => Array.from({ length: partitions }, (): KeyedLine[] => []);

  /** One for every lines-partition. */
  function chunksOf(
    source: RawPartition,
    { offset, index, streamTime }: SourceProgress,
    topics: RawTopic[],
    perPartition: readonly KeyedLine[][],
  ): AddressedChunk[] {
    const { maskHash } = reader;
    const through = { offset, index };
    return perPartition.map((lines, partition) => ({
      partition,
      message: { kind: "chunk", source, topics, through, streamTime, maskHash, lines },
    }));
  }

  return {
    async ingest(source, records, topics) {
      await reader.prepare(records);
      const at = progressOf(progress, source);
      const perPartition = noLines();
      const deadLetters: DeadLetter[] = [];
      const total = { lines: 0, undated: 0, clampedTimes: 0, leftOutKeys: 0 };
      const partitionsOfTopic = topics.find(({ topic }) => topic === source.topic)?.partitions ?? 1;
      const options = { pieces: at.pieces, partitions: partitionsOfTopic };
      const reads: Read[] = [];
      let began = performance.now();
      for (const record of records) {
        if (performance.now() - began > longestTurnMs) {
          await setImmediate();
          began = performance.now();
        }
        try {
          reads.push({ record, read: reader.read(record, options) });
        } catch (thrown) {
          deadLetters.push({ record, error: thrown instanceof Error ? thrown : new Error(reasonOf(thrown)) });
          reads.push({ record, read: nothing });
        }
      }
      dateLines(reads, at);
      for (const { record, read } of reads) {
        for (const line of read.lines) {
          if (line.time > at.streamTime) at.streamTime = line.time;
          address(line, perPartition);
        }
        total.lines += read.lines.length;
        total.undated += read.undated?.size ?? 0;
        total.clampedTimes += read.clampedTimes;
        total.leftOutKeys += read.leftOutKeys;
        at.offset = record.offset;
        at.index = read.lines.at(-1)?.position.index ?? 0;
      }
      return { chunks: chunksOf(source, at, topics, perPartition), deadLetters, ...total };
    },

    progress: (source, topics) => chunksOf(source, progressOf(progress, source), topics, noLines()),

    idle(source, nowMs, topics) {
      const at = progressOf(progress, source);
      const perPartition = noLines();
      const { topic, partition } = source;
      for (const { line, record } of at.pieces.release()) {
        const position = { topic, partition, offset: at.offset, index: ++at.index };
        for (const placed of reader.place(line, record, position).lines) address(placed, perPartition);
      }
      // The clock does not become the source's event time: its next lines may well be older.
      const idle = { ...at, streamTime: Math.max(at.streamTime, nowMs) };
      return chunksOf(source, idle, topics, perPartition);
    },

    oldestPiece: (source) => progressOf(progress, source).pieces.oldest(),
  };
}

interface Read {
  record: RawRecord;
  read: LinesRead;
}

const nothing: LinesRead = { lines: [], clampedTimes: 0, leftOutKeys: 0 };

/**
 * A file's line without a time continues the line before it, as a stack trace does: with the clock's time it would end
 * every session that is open. Lines before the first time take that one, where it is in the same batch.
 */
function dateLines(reads: readonly Read[], at: SourceProgress): void {
  if (reads.every(({ record }) => record.undated === undefined)) return;
  at.lastTime ??= reads.flatMap(({ read }) => read.lines.filter((line) => !read.undated?.has(line)))[0]?.time;
  for (const { record, read } of reads)
    for (const line of read.lines) {
      if (!read.undated?.has(line)) at.lastTime = line.time;
      else if (record.undated !== undefined)
        line.time = at.lastTime ?? Math.max(earliestTime, record.undated);
    }
}

function progressOf(progress: Map<string, SourceProgress>, source: RawPartition): SourceProgress {
  const name = `${source.topic} ${source.incarnation} ${source.partition}`;
  let at = progress.get(name);
  if (at === undefined) {
    at = { offset: -1, index: 0, streamTime: earliestTime, lastTime: undefined, pieces: createPieces() };
    progress.set(name, at);
  }
  return at;
}

/** A line with keys in several lines-partitions is one entry in each, with the keys that live there. */
function address(line: KeyedLine, perPartition: KeyedLine[][]): void {
  const [only] = line.keys;
  if (line.keys.length === 1 && only !== undefined) {
    perPartition[partitionOf(only, perPartition.length)]?.push(line);
    return;
  }
  const keysByPartition = new Map<number, string[]>();
  for (const key of line.keys) {
    const partition = partitionOf(key, perPartition.length);
    const keys = keysByPartition.get(partition);
    if (keys === undefined) keysByPartition.set(partition, [key]);
    else keys.push(key);
  }
  for (const [partition, keys] of keysByPartition) perPartition[partition]?.push({ ...line, keys });
}
