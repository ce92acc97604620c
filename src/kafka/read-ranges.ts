import { setTimeout as sleep } from "node:timers/promises";
import type { RawRecord } from "../ingest/line.ts";
import { type KafkaClient, kafkaError } from "./client.ts";
import { recordOf } from "./record.ts";
import { nameOf, type Place, type Topics } from "./topics.ts";

/** Offsets of one partition: from `from` to before `end`. */
export interface OffsetRange extends Place {
  from: number;
  end: number;
}

export interface RangesReader {
  /**
   * The records of each range, in the ranges' order. What is not taken is not fetched further.
   * @throws LogGuardianError LG_KAFKA_*, and the signal's reason.
   */
  ranges: { range: OffsetRange; batches: AsyncGenerator<RawRecord[]> }[];
  /** Leaves nothing behind on the broker. */
  close(): Promise<void>;
}

/**
 * Offsets may hold no record (marks of transactions): nothing new twice this long, from a leader that answers, is the
 * end. So many fetches at least must have brought nothing: a process that was busy has heard nothing either.
 */
const silentForMs = 3_000;
const silentFetches = 2;
const watchEveryMs = 500;
const joinedWithinMs = 30_000;
const maxFetchBytes = 512 * 1024;

interface Reading {
  range: OffsetRange;
  next: number;
  waiting: RawRecord[][];
  bytes: number;
  isDone: boolean;
  /** When something last came, or could have begun to come. */
  heard: number;
  /** How often was fetched since. */
  fetches: number;
  /** Whether the leader has answered since. */
  isConfirmed: boolean;
  wake: () => void;
}

/**
 * Reads ranges of offsets side by side. Nothing is committed: the group that Kafka's protocol asks for exists only as
 * long as this. @param options.maxBytes of records that wait to be taken, about.
 */
export function readRanges(
  deps: { client: KafkaClient; topics: Topics; brokers: readonly string[] },
  ranges: readonly OffsetRange[],
  options: { group: string; maxBytes: number; signal?: AbortSignal },
): RangesReader {
  const { client, topics, brokers } = deps;
  const consumer = client.kafka.consumer({
    groupId: options.group,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 200,
    maxBytesPerPartition: maxFetchBytes,
  });
  const readings = ranges.map(readingOf);
  const byName = new Map(readings.map((reading) => [nameOf(reading.range), reading]));
  const mostBytes = options.maxBytes / Math.max(1, ranges.length);
  let failure: Error | undefined;
  let isClosed = false;
  let joinBy = Date.now() + joinedWithinMs;

  function fail(reason: Error): void {
    failure ??= reason;
    for (const { wake } of readings) wake();
  }

  function finish(reading: Reading): void {
    reading.isDone = true;
    pause(reading.range);
    reading.wake();
  }

  function pause({ topic, partition }: Place): void {
    consumer.pause([{ topic, partitions: [partition] }]);
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    joinBy = Number.POSITIVE_INFINITY;
    for (const [topic, partitions] of Object.entries(payload.memberAssignment))
      for (const partition of partitions) {
        const reading = byName.get(nameOf({ topic, partition }));
        if (reading === undefined || reading.isDone) pause({ topic, partition });
        else {
          heardOf(reading);
          consumer.seek({ topic, partition, offset: String(reading.next) });
        }
      }
  });
  consumer.on(consumer.events.FETCH, () => {
    for (const reading of readings) reading.fetches++;
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (payload.restart) joinBy = Date.now() + joinedWithinMs;
    else fail(kafkaError(payload.error, brokers));
  });

  function take(reading: Reading, records: RawRecord[], lastOffset: number): void {
    const { range } = reading;
    heardOf(reading);
    const wanted = records.filter(({ offset }) => offset >= reading.next && offset < range.end);
    reading.next = Math.max(reading.next, lastOffset + 1);
    if (wanted.length > 0) {
      reading.waiting.push(wanted);
      reading.bytes += bytesOf(wanted);
    }
    if (reading.next >= range.end) finish(reading);
    else if (reading.bytes >= mostBytes) pause(range);
    reading.wake();
  }

  async function run(): Promise<void> {
    await consumer.connect();
    const names = new Set(readings.filter(({ isDone }) => !isDone).map(({ range }) => range.topic));
    await consumer.subscribe({ topics: [...names], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const { topic, partition } = batch;
        const reading = byName.get(nameOf({ topic, partition }));
        if (reading === undefined || reading.isDone) return;
        const records = batch.messages.map((message) => recordOf(topic, partition, message));
        take(reading, records, Number(batch.lastOffset()));
      },
    });
  }

  async function watch(): Promise<void> {
    while (!isClosed && failure === undefined) {
      await sleep(watchEveryMs, undefined, { ref: false });
      await lookAfter();
    }
  }

  /** Ranges from which nothing comes have ended, or their broker is away. */
  async function lookAfter(): Promise<void> {
    const now = Date.now();
    if (now > joinBy) throw new Error(`nothing could be read within ${joinedWithinMs / 1000} s`);
    if (joinBy !== Number.POSITIVE_INFINITY) return;
    for (const reading of readings) {
      if (reading.isDone || reading.waiting.length > 0) continue;
      if (now - reading.heard < silentForMs || reading.fetches < silentFetches) continue;
      if (reading.isConfirmed) finish(reading);
      else {
        await topics.bounds(reading.range.topic);
        reading.isConfirmed = true;
        reading.heard = Date.now();
        reading.fetches = 0;
      }
    }
  }

  async function* batchesOf(reading: Reading): AsyncGenerator<RawRecord[]> {
    for (;;) {
      if (failure !== undefined) throw failure;
      const batch = reading.waiting.shift();
      if (batch !== undefined) {
        const wasFull = reading.bytes >= mostBytes;
        reading.bytes -= bytesOf(batch);
        if (wasFull && reading.bytes < mostBytes && !reading.isDone) {
          heardOf(reading);
          const { topic, partition } = reading.range;
          consumer.resume([{ topic, partitions: [partition] }]);
        }
        yield batch;
      } else if (reading.isDone) return;
      else
        await new Promise<void>((resolve) => {
          reading.wake = resolve;
        });
    }
  }

  const abort = () => fail(options.signal?.reason);
  options.signal?.addEventListener("abort", abort);
  if (readings.some(({ isDone }) => !isDone))
    for (const part of [run(), watch()]) part.catch((thrown) => fail(kafkaError(thrown, brokers)));

  return {
    ranges: readings.map((reading) => ({ range: reading.range, batches: batchesOf(reading) })),
    async close() {
      isClosed = true;
      options.signal?.removeEventListener("abort", abort);
      await consumer.disconnect().catch(() => undefined);
      await client.admin.deleteGroups([options.group]).catch(() => undefined);
    },
  };
}

function readingOf(range: OffsetRange): Reading {
  return {
    range,
    next: range.from,
    waiting: [],
    bytes: 0,
    isDone: range.from >= range.end,
    heard: Date.now(),
    fetches: 0,
    isConfirmed: false,
    wake: () => undefined,
  };
}

function heardOf(reading: Reading): void {
  reading.heard = Date.now();
  reading.fetches = 0;
  reading.isConfirmed = false;
}

function bytesOf(records: readonly RawRecord[]): number {
  return records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
}
