import { setTimeout as sleep } from "node:timers/promises";
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { RawRecord } from "../ingest/line.ts";
import type { Health, HealthUnit } from "../telemetry/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import { kafkaError } from "./client.ts";
import type { Committed, LogBounds, Topics } from "./topics.ts";

/** How often what may be committed is committed, and workers are ticked. */
const tickMs = 500;
const maxFetchBytes = 512 * 1024;
/** Failures of one partition in a row, without one record getting through, before the process gives up. */
const maxFailures = 5;
/** What a record weighs beside its key and value. */
const recordOverhead = 200;

/** What a partition's new owner is told. */
export interface Assignment {
  topic: string;
  partition: number;
  committed: Committed | undefined;
  log: LogBounds;
}

/** The owner of one partition between two rebalances. Its calls never overlap. */
export interface PartitionWorker {
  /** Offset to read on from. */
  position: number;
  /** Takes records in, in order. When it returns, their effects are durable. */
  process(records: readonly RawRecord[]): Promise<void>;
  /** Twice a second while nothing is processed; `end` is where the log ended when last heard of. */
  tick?(state: { position: number; end: number }): Promise<void>;
  /** Everything below may be forgotten by the broker. */
  commitPoint(): Committed;
}

export interface ConsumerOptions {
  group: string;
  topics: readonly string[];
  sessionTimeoutMs: number;
  /** Decompressed bytes that are read and not yet processed, at most. */
  maxInFlightBytes: number;
  /** How the unit is called in health and logs, such as `ingester hdfs`. */
  name: string;
}

export interface PartitionConsumer {
  /** Joins the group. `failed` settles when the consumer cannot go on. */
  start(): Promise<void>;
  failed: Promise<LogGuardianError>;
  /** Ends what is being processed, commits, leaves the group. */
  stop(): Promise<void>;
  inFlightBytes(): number;
  lag(): number;
}

/**
 * Reads the partitions that the group gives this member, each through a worker of its own.
 *
 * kafkajs' traps that are dealt with here (each was measured): handlers return at once, so that heartbeats go on; at
 * every join all partitions are forgotten and paused before fetching restarts, so that no offset of a former
 * generation is ever committed; bytes are counted decompressed; a batch that does not begin where the last ended is
 * noticed; a crash that kafkajs does not restart from ends the process.
 */
export function createPartitionConsumer(
  deps: {
    kafka: Kafka;
    topics: Topics;
    logger: Logger;
    health: Health;
    brokers: readonly string[];
    onLost: (offsets: number) => void;
  },
  options: ConsumerOptions,
  assign: (assignment: Assignment) => Promise<PartitionWorker>,
): PartitionConsumer {
  const logger = deps.logger.child({ unit: options.name });
  const unit: HealthUnit = deps.health.unit(options.name);
  const consumer: Consumer = deps.kafka.consumer({
    groupId: options.group,
    sessionTimeout: options.sessionTimeoutMs,
    heartbeatInterval: Math.max(500, Math.floor(options.sessionTimeoutMs / 5)),
    maxWaitTimeInMs: 200,
    minBytes: 1,
    maxBytesPerPartition: maxFetchBytes,
    maxBytes: 16 * maxFetchBytes,
    retry: { initialRetryTime: 300, maxRetryTime: 5_000, retries: 8 },
  });
  const partitions = new Map<string, OwnedPartition>();
  /** Former owners that still process: their successors wait for them. */
  const leaving = new Set<Promise<void>>();
  const committed = new Map<string, string>();
  let generation = 0;
  let committing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let stopping = false;
  let endWait: (() => void) | undefined;
  let fail: (error: LogGuardianError) => void = () => undefined;
  const failed = new Promise<LogGuardianError>((resolve) => {
    fail = resolve;
  });
  const nameOf = (topic: string, partition: number) => `${topic} ${partition}`;

  // kafkajs calls this synchronously before it fetches for the new generation, and does not wait for it.
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    generation++;
    endWait?.();
    endWait = undefined;
    forgetAll();
    const assigned = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    );
    logger.info("The group gave this member its partitions.", { partitions: assigned.length });
    for (const { topic, partition } of assigned) consumer.pause([{ topic, partitions: [partition] }]);
    void takeOver(assigned, generation);
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    forgetAll();
    if (payload.restart) {
      logger.warn("The connection to Kafka was lost; joining again.", { error: payload.error.message });
      endWait ??= deps.health.wait("broker-away");
    } else if (!stopping) fail(kafkaError(payload.error, deps.brokers));
  });

  function forgetAll(): void {
    for (const partition of partitions.values()) {
      const left = partition.revoke();
      leaving.add(left);
      void left.finally(() => leaving.delete(left));
    }
    partitions.clear();
    committed.clear();
  }

  async function takeOver(assigned: { topic: string; partition: number }[], mine: number): Promise<void> {
    await Promise.all(leaving);
    await Promise.all(
      options.topics.map(async (topic) => {
        const numbers = assigned.filter((one) => one.topic === topic).map(({ partition }) => partition);
        if (numbers.length > 0) await takeOverTopic(topic, numbers, mine);
      }),
    );
    if (mine === generation && !stopping) unit.started();
  }

  async function takeOverTopic(topic: string, numbers: readonly number[], mine: number): Promise<void> {
    for (let attempt = 1; mine === generation && !stopping; attempt++) {
      try {
        const [found, bounds] = await Promise.all([
          deps.topics.committed(options.group, topic),
          deps.topics.bounds(topic),
        ]);
        const missing = numbers.filter((partition) => !partitions.has(nameOf(topic, partition)));
        // All are awaited even if one fails: the next attempt must not meet one that is still under way.
        const outcomes = await Promise.allSettled(
          missing.map(async (partition) => {
            const log = bounds.get(partition) ?? { start: 0, end: 0 };
            const worker = await assign({ topic, partition, committed: found.get(partition), log });
            if (mine === generation && !stopping) begin(topic, partition, worker, log);
          }),
        );
        for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
        return;
      } catch (thrown) {
        if (mine !== generation || stopping) return;
        logger.warn("Partitions could not be taken over; trying again.", { topic, error: reasonOf(thrown) });
        if (attempt >= maxFailures && thrown instanceof LogGuardianError) return fail(thrown);
        await sleep(Math.min(5_000, 200 * 2 ** attempt));
      }
    }
  }

  function begin(
    topic: string,
    partition: number,
    worker: PartitionWorker,
    log: LogBounds,
    failures = 0,
  ): void {
    let position = worker.position;
    if (position < log.start) {
      lost(topic, partition, log.start - position);
      position = log.start;
    }
    const owned = new OwnedPartition(position, log.end, worker, failures, {
      isFull: (bytes) => bytes > options.maxInFlightBytes / Math.max(1, partitions.size),
      pause: () => consumer.pause([{ topic, partitions: [partition] }]),
      resume: () => consumer.resume([{ topic, partitions: [partition] }]),
      progress: () => unit.progress(lag()),
      failed: (thrown, count) => void restart(topic, partition, thrown, count),
      lost: (from, to) => void checkGap(topic, partition, from, to),
    });
    partitions.set(nameOf(topic, partition), owned);
    consumer.seek({ topic, partition, offset: String(position) });
    consumer.resume([{ topic, partitions: [partition] }]);
  }

  /** A worker that failed is forgotten; its successor begins from what is durable. */
  async function restart(topic: string, partition: number, thrown: unknown, failures: number): Promise<void> {
    const mine = generation;
    if (stopping) return;
    const isFenced = thrown instanceof LogGuardianError && thrown.code === "LG_WINDOW_FENCED";
    logger[isFenced ? "info" : "warn"]("A partition is taken up again from what is durable.", {
      topic,
      partition,
      failures,
      error: isFenced ? reasonOf(thrown) : thrown,
    });
    consumer.pause([{ topic, partitions: [partition] }]);
    partitions.delete(nameOf(topic, partition));
    committed.delete(nameOf(topic, partition));
    if (failures >= maxFailures)
      return fail(
        thrown instanceof LogGuardianError
          ? thrown
          : new LogGuardianError(
              "LG_UNEXPECTED",
              `${options.name} fails again and again on ${topic} partition ${partition}: ${reasonOf(thrown)}.`,
              "Report it with the log's stack.",
              thrown,
            ),
      );
    await sleep(200 * failures);
    if (mine !== generation || stopping) return;
    try {
      const [found, bounds] = await Promise.all([
        deps.topics.committed(options.group, topic),
        deps.topics.bounds(topic),
      ]);
      const log = bounds.get(partition) ?? { start: 0, end: 0 };
      const worker = await assign({ topic, partition, committed: found.get(partition), log });
      if (mine === generation && !stopping) begin(topic, partition, worker, log, failures);
    } catch (again) {
      if (mine === generation) await restart(topic, partition, again, failures + 1);
    }
  }

  async function checkGap(topic: string, partition: number, from: number, to: number): Promise<void> {
    // Offsets without a record are usual (transactions, compaction); only what lies before the log's start was lost.
    const bounds = await deps.topics.bounds(topic).catch(() => undefined);
    const start = bounds?.get(partition)?.start ?? 0;
    if (start > from) lost(topic, partition, Math.min(start, to) - from);
  }

  function lost(topic: string, partition: number, offsets: number): void {
    deps.onLost(offsets);
    logger.error("Records were lost: the log no longer holds them. Give the topic a longer retention.", {
      topic,
      partition,
      offsets,
    });
  }

  async function eachBatch({ batch, resolveOffset }: EachBatchPayload): Promise<void> {
    const owned = partitions.get(nameOf(batch.topic, batch.partition));
    if (owned === undefined) return;
    resolveOffset(batch.lastOffset());
    owned.push(
      batch.messages.map((message) => recordOf(batch.topic, batch.partition, message)),
      Number(batch.highWatermark),
    );
  }

  /** One commit at a time; a failed one is made up for by the next. */
  function commit(): Promise<void> {
    committing = committing.then(async () => {
      const mine = generation;
      const points = [...partitions].flatMap(([name, { worker }]) => {
        const { offset, metadata } = worker.commitPoint();
        const text = `${offset} ${metadata}`;
        if (committed.get(name) === text) return [];
        const space = name.lastIndexOf(" ");
        const topic = name.slice(0, space);
        return [
          { name, text, topic, partition: Number(name.slice(space + 1)), offset: String(offset), metadata },
        ];
      });
      if (points.length === 0) return;
      try {
        await consumer.commitOffsets(
          points.map(({ topic, partition, offset, metadata }) => ({ topic, partition, offset, metadata })),
        );
        if (mine === generation) for (const { name, text } of points) committed.set(name, text);
      } catch (thrown) {
        logger.debug("A commit did not succeed; the next one will make up for it.", {
          error: reasonOf(thrown),
        });
      }
    });
    return committing;
  }

  const lag = () => [...partitions.values()].reduce((sum, owned) => sum + owned.lag(), 0);

  return {
    failed,
    async start() {
      await consumer.connect().catch((thrown) => {
        throw kafkaError(thrown, deps.brokers);
      });
      await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });
      timer = setInterval(() => {
        unit.lag(lag());
        void commit();
        for (const owned of partitions.values()) owned.tick();
      }, tickMs);
    },
    async stop() {
      stopping = true;
      clearInterval(timer);
      const owned = [...partitions];
      await Promise.all([...owned.map(([, one]) => one.revoke()), ...leaving]);
      await commit();
      await consumer.disconnect().catch(() => undefined);
      endWait?.();
      unit.ended();
    },
    inFlightBytes: () => [...partitions.values()].reduce((sum, owned) => sum + owned.bytes, 0),
    lag,
  };
}

interface PartitionEvents {
  isFull(bytes: number): boolean;
  pause(): void;
  resume(): void;
  progress(): void;
  failed(thrown: unknown, failures: number): void;
  /** The log went on at `to` where `from` was expected. */
  lost(from: number, to: number): void;
}

/** The records of one partition on their way through its worker. */
class OwnedPartition {
  bytes = 0;
  readonly worker: PartitionWorker;
  readonly #on: PartitionEvents;
  #waiting: RawRecord[] = [];
  #processed: number;
  #expected: number;
  #end: number;
  #failures: number;
  #running: Promise<void> | undefined;
  #paused = false;
  #revoked = false;

  constructor(position: number, end: number, worker: PartitionWorker, failures: number, on: PartitionEvents) {
    this.worker = worker;
    this.#processed = position;
    this.#expected = position;
    this.#end = end;
    this.#failures = failures;
    this.#on = on;
  }

  push(records: readonly RawRecord[], end: number): void {
    this.#end = end;
    // After a seek a batch that was fetched before may still come.
    const fresh = records.filter(({ offset }) => offset >= this.#expected);
    const [first, last] = [fresh[0], fresh.at(-1)];
    if (this.#revoked || first === undefined || last === undefined) return;
    if (first.offset > this.#expected) this.#on.lost(this.#expected, first.offset);
    this.#expected = last.offset + 1;
    for (const record of fresh) {
      this.#waiting.push(record);
      this.bytes += bytesOf(record);
    }
    if (!this.#paused && this.#on.isFull(this.bytes)) {
      this.#paused = true;
      this.#on.pause();
    }
    this.#run(() => this.#processAll());
  }

  tick(): void {
    this.#run(async () => this.worker.tick?.({ position: this.#expected, end: this.#end }));
  }

  lag(): number {
    return Math.max(0, this.#end - this.#processed);
  }

  /** Takes no more, drops what waits, and resolves when what is being processed has ended. */
  async revoke(): Promise<void> {
    this.#revoked = true;
    this.#waiting = [];
    await this.#running;
  }

  #run(step: () => Promise<void>): void {
    if (this.#running !== undefined || this.#revoked) return;
    this.#running = step()
      .catch((thrown) => {
        if (this.#revoked) return;
        this.#revoked = true;
        this.#on.failed(thrown, this.#failures + 1);
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#waiting.length > 0) this.#run(() => this.#processAll());
      });
  }

  async #processAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const records = this.#waiting;
      this.#waiting = [];
      await this.worker.process(records);
      this.#failures = 0;
      this.#processed = (records.at(-1)?.offset ?? -1) + 1;
      for (const record of records) this.bytes -= bytesOf(record);
      this.#on.progress();
      if (this.#paused && !this.#revoked && !this.#on.isFull(2 * this.bytes)) {
        this.#paused = false;
        this.#on.resume();
      }
    }
  }
}

function bytesOf({ key, value }: RawRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + recordOverhead;
}

function recordOf(topic: string, partition: number, message: KafkaMessage): RawRecord {
  const headers: RawRecord["headers"] = {};
  for (const [name, value] of Object.entries(message.headers ?? {}))
    headers[name] = Array.isArray(value) ? value[0] : value;
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    headers,
    timestamp: Number(message.timestamp),
  };
}
