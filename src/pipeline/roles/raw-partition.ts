import { earliestTime, type RawPartition, type RawTopic, splitChunk } from "../../ingest/lines-message.ts";
import type { PartitionWorker } from "../../kafka/partition-worker.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { AddressedChunk, Ingester } from "../ingester.ts";
import { createQuota } from "../quota.ts";
import type { Bury } from "../services.ts";

/** A raw partition reports its progress to lines-partitions that its lines do not reach this often. */
const markEveryMs = 1_000;
/** Taken in with one send: each goes to all lines-partitions, and what it costs beside its lines is shared by more of them. */
const maxRecords = 1024;

const partitionsOf = (topics: readonly RawTopic[]) =>
  topics.reduce((sum, { partitions }) => sum + partitions, 0);

export interface RawPartitionParts {
  source: RawPartition;
  position: number;
  /** Of every commit. */
  metadata: string;
  ingester: Ingester;
  rawTopics: () => RawTopic[];
  send: (chunks: readonly AddressedChunk[]) => Promise<void>;
  bury: Bury;
  /** Where the log ends now; undefined where the broker does not say. */
  endOf: () => Promise<number | undefined>;
  metrics: Metrics;
  pipeline: string;
  idleAfterMs: number;
  /** Of the whole pipeline; each raw partition has an equal share. */
  linesPerSecond: number | undefined;
}

/** One raw partition. One send is under way at most, so that what was sent is always a prefix without gaps. */
export function createRawPartitionWorker(parts: RawPartitionParts): PartitionWorker {
  const { source, ingester, rawTopics, send, bury, metrics, pipeline, idleAfterMs, linesPerSecond } = parts;
  const quota = createQuota();
  // A quiet source holds nothing open, and need not say so every second.
  const idleEveryMs = Math.min(10_000, Math.max(markEveryMs, idleAfterMs / 6));
  let position = parts.position;
  /** Follows what was sent, not what was read. */
  let committable = parts.position;
  let lastRecordAt = Date.now();
  let lastIdleAt = 0;
  let sentStreamTime = earliestTime;
  /** When each lines-partition was last told, and whether it knows the newest progress. */
  const told: { at: number; isNewest: boolean }[] = [];

  const sendSplit = (chunks: readonly AddressedChunk[]) =>
    send(
      chunks.flatMap(({ partition, message }) =>
        splitChunk(message, sentStreamTime).map((part) => ({ partition, message: part })),
      ),
    );

  async function tell(chunks: readonly AddressedChunk[]): Promise<void> {
    const now = Date.now();
    const due = chunks.filter(
      ({ partition, message }) => message.lines.length > 0 || now - (told[partition]?.at ?? 0) >= markEveryMs,
    );
    const isDue = new Set(due.map(({ partition }) => partition));
    for (const { partition } of chunks)
      if (!isDue.has(partition)) told[partition] = { at: told[partition]?.at ?? 0, isNewest: false };
    await sendSplit(due);
    for (const { partition } of due) told[partition] = { at: now, isNewest: true };
  }

  return {
    position,
    maxRecords,
    async process(records) {
      const { chunks, deadLetters, ...counts } = await ingester.ingest(source, records, rawTopics());
      await bury(deadLetters);
      await tell(chunks);
      sentStreamTime = chunks[0]?.message.streamTime ?? sentStreamTime;
      position = (records.at(-1)?.offset ?? position - 1) + 1;
      committable = ingester.oldestPiece(source) ?? position;
      lastRecordAt = Date.now();
      if (linesPerSecond !== undefined) quota.take(counts.lines, linesPerSecond / partitionsOf(rawTopics()));
      metrics.records.inc({ pipeline }, records.length);
      metrics.lines.inc({ pipeline }, counts.lines);
      metrics.clampedTimes.inc({ pipeline }, counts.clampedTimes);
      metrics.leftOutKeys.inc({ pipeline }, counts.leftOutKeys);
    },
    pauseMs: quota.pauseMs,
    async tick({ position: expected, end }) {
      if (expected < end) return;
      const now = Date.now();
      if (told.some(({ isNewest }) => !isNewest)) {
        const marks = ingester.progress(source, rawTopics());
        await tell(marks.filter(({ partition }) => told[partition]?.isNewest === false));
      }
      if (now - lastRecordAt < idleAfterMs || now - lastIdleAt < idleEveryMs) return;
      // Only what was read to its very end is idle; that is asked of the broker, which may be away.
      if ((await parts.endOf()) !== expected) return;
      lastIdleAt = now;
      await sendSplit(ingester.idle(source, now, rawTopics()));
      committable = position;
    },
    commitPoint: () => ({ offset: committable, metadata: parts.metadata }),
  };
}
