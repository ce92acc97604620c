import { setTimeout as sleep } from "node:timers/promises";
import type { Batch, Consumer, EachBatchPayload, Kafka } from "kafkajs";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { UnreadableBatch } from "../ingest/line.ts";
import { retry } from "../retry.ts";
import type { Health, HealthUnit } from "../telemetry/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import { isAway, kafkaError, meansAway } from "./client.ts";
import { createCommits, type Owned } from "./commits.ts";
import { OwnedPartition, type PartitionWorker } from "./partition-worker.ts";
import { recordOf } from "./record.ts";
import { type Committed, type LogBounds, nameOf, type Topics } from "./topics.ts";

/** How often what may be committed is committed, and workers are ticked. */
const tickMs = 500;
/** New partitions of a topic are noticed within this time. */
const metadataMaxAgeMs = 60_000;
/** Failures of one partition in a row, without one record getting through, before the process gives up. */
const maxFailures = 5;
/** What a partition's new owner is told. */
export interface Assignment {
  topic: string;
  partition: number;
  committed: Committed | undefined;
  /** Of all partitions of the topic that have a commit of this group. */
  allCommitted: ReadonlyMap<number, Committed>;
  /** Partitions that the topic has now. */
  partitions: number;
  log: LogBounds;
}

export interface ConsumerOptions {
  group: string;
  topics: readonly string[];
  sessionTimeoutMs: number;
  /** Decompressed bytes that are read and not yet processed, at most. */
  maxInFlightBytes: number;
  /** Of one partition and fetch, as they are packed. A batch comes whole, however large. */
  maxFetchBytes: number;
  /** How the unit is called in health and logs, such as `ingester hdfs`. */
  name: string;
  /** Failures of a worker that another one in this process would only repeat: the consumer fails at once. */
  isHopeless?: (thrown: unknown) => boolean;
}

export interface PartitionConsumer {
  /** Joins the group. `failed` settles when the consumer cannot go on. */
  start(): Promise<void>;
  failed: Promise<LogGuardianError>;
  /**
   * Ends what is being processed, commits, leaves the group.
   * @throws LogGuardianError LG_COMMIT where the signal ended it before all could be committed.
   */
  stop(): Promise<void>;
  inFlightBytes(): number;
  lag(): number;
  /** Since the last commit, while something is not committed; 0 where all is. */
  commitAgeMs(): number;
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
    /** The group gave this member its partitions. */
    onRebalance: () => void;
    /** Ends all waiting. */
    signal?: AbortSignal;
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
    maxBytesPerPartition: options.maxFetchBytes,
    maxBytes: 16 * options.maxFetchBytes,
    metadataMaxAge: metadataMaxAgeMs,
    retry: { initialRetryTime: 300, maxRetryTime: 5_000, retries: 8 },
  });
  const partitions = new Map<string, Owned>();
  /** Former owners that still process: their successors wait for them. */
  const leaving = new Set<Promise<void>>();
  let generation = 0;
  const commits = createCommits(
    { consumer, logger },
    { owned: () => [...partitions.values()], generation: () => generation },
  );
  /** When last nothing was left to do or to commit. */
  let upToDateAt = Date.now();
  let timer: NodeJS.Timeout | undefined;
  let stopping = false;
  /** Whether the group was left without a commit of all that was done. */
  let isBehind = false;
  let endWait: (() => void) | undefined;
  let fail: (error: LogGuardianError) => void = () => undefined;
  const failed = new Promise<LogGuardianError>((resolve) => {
    fail = resolve;
  });

  // kafkajs calls this synchronously before it fetches for the new generation, and does not wait for it.
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    generation++;
    // What was done in the former generation is not to be committed in the name of this one, not even at the end.
    forgetAll();
    // One that was stopped while it was joining again joins all the same, and can leave when it has joined.
    if (stopping) return void setImmediate(() => consumer.disconnect().catch(() => undefined));
    isBehind = false;
    endWait?.();
    endWait = undefined;
    const assigned = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    );
    deps.onRebalance();
    logger.info("The group gave this member its partitions.", { partitions: assigned.length });
    for (const { topic, partition } of assigned) consumer.pause([{ topic, partitions: [partition] }]);
    void takeOver(assigned, generation);
  });
  // Without a record in it, a batch never comes to `eachBatch`.
  consumer.on(
    consumer.events.END_BATCH_PROCESS,
    ({ payload: { topic, partition, batchSize, lastOffset } }) => {
      if (batchSize === 0) partitions.get(nameOf({ topic, partition }))?.owned.pass(Number(lastOffset));
    },
  );
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    // Outside the group nothing may be taken over: another member may own it by now.
    generation++;
    commits.through(undefined);
    isBehind ||= commits.isBehind();
    forgetAll();
    if (!payload.restart && (stopping || !meansAway(payload.error))) {
      if (!stopping) fail(kafkaError(payload.error, deps.brokers));
      return;
    }
    logger.warn("The connection to Kafka was lost; joining again.", { error: payload.error.message });
    endWait ??= deps.health.wait("broker-away");
    if (!payload.restart) void runAgain();
  });

  /** kafkajs does not restart where it found no broker at all. */
  async function runAgain(): Promise<void> {
    try {
      await retry(() => consumer.connect(), {
        isTransient: (thrown) => !stopping && isAway(kafkaError(thrown, deps.brokers)),
        signal: deps.signal,
      });
      if (!stopping) await run();
    } catch (thrown) {
      if (!stopping) fail(kafkaError(thrown, deps.brokers));
    }
  }

  const run = () => consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });

  function forgetAll(): void {
    for (const { owned } of partitions.values()) {
      const left = owned.revoke();
      leaving.add(left);
      void left.finally(() => leaving.delete(left));
    }
    partitions.clear();
    commits.forgetAll();
  }

  async function takeOver(assigned: { topic: string; partition: number }[], mine: number): Promise<void> {
    await Promise.all(leaving);
    await Promise.all(
      options.topics.map(async (topic) => {
        const numbers = assigned.filter((one) => one.topic === topic).map(({ partition }) => partition);
        if (numbers.length > 0) await takeUp(topic, numbers, mine);
      }),
    );
    if (mine === generation && !stopping) unit.started();
  }

  /**
   * Begins partitions from what is durable, in as many tries as it takes.
   * @param before what ended their former workers, and how often that happened in a row.
   */
  async function takeUp(
    topic: string,
    numbers: readonly number[],
    mine: number,
    before: { failures: number; thrown?: unknown } = { failures: 0 },
  ): Promise<void> {
    let { failures, thrown } = before;
    let endAway: (() => void) | undefined;
    try {
      for (let tries = 0; ; tries++) {
        if (thrown !== undefined) {
          // A broker that is away is waited for, however long.
          if (isAway(thrown)) endAway ??= deps.health.wait("broker-away");
          else failures++;
          if (failures >= maxFailures) return fail(failureOf(thrown, topic, numbers));
          await sleep(Math.min(5_000, 200 * 2 ** Math.max(tries, failures)), undefined, { ref: false });
        }
        if (mine !== generation || stopping) return;
        try {
          await beginAll(topic, numbers, mine, failures);
          return;
        } catch (again) {
          if (mine !== generation || stopping) return;
          thrown = again;
          logger.warn("Partitions could not be taken over; trying again.", {
            topic,
            error: reasonOf(thrown),
          });
        }
      }
    } finally {
      endAway?.();
    }
  }

  async function beginAll(
    topic: string,
    numbers: readonly number[],
    mine: number,
    failures: number,
  ): Promise<void> {
    // In this order: a former owner may be committing yet, and a log that ends below a commit was made anew.
    const allCommitted = await deps.topics.committed(options.group, topic);
    const bounds = await deps.topics.bounds(topic);
    if (mine !== generation || stopping) return;
    const missing = numbers.filter((partition) => !partitions.has(nameOf({ topic, partition })));
    // All are awaited even if one fails: the next attempt must not meet one that is still under way.
    const outcomes = await Promise.allSettled(
      missing.map(async (partition) => {
        const log = bounds.get(partition) ?? { start: 0, end: 0 };
        const assignment = { topic, partition, allCommitted, partitions: bounds.size, log };
        const found = allCommitted.get(partition);
        const worker = await assign({ ...assignment, committed: found });
        if (mine !== generation || stopping) return [];
        if (found !== undefined) commits.found({ topic, partition }, found);
        return [own(topic, partition, worker, log, failures)];
      }),
    );
    // That a partition was begun is known before the first of its effects: whoever finds effects and no commit may
    // conclude that Kafka has forgotten them.
    while (mine === generation && !stopping && allCommitted.size < bounds.size && !(await commits.commit()))
      await sleep(tickMs);
    if (mine !== generation || stopping) return;
    for (const outcome of outcomes)
      if (outcome.status === "fulfilled") for (const read of outcome.value) read();
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  function failureOf(thrown: unknown, topic: string, numbers: readonly number[]): LogGuardianError {
    if (thrown instanceof LogGuardianError) return thrown;
    return new LogGuardianError(
      "LG_UNEXPECTED",
      `${options.name} fails again and again on ${topic} partition ${numbers.join(", ")}: ${reasonOf(thrown)}.`,
      "Report it with the log's stack.",
      thrown,
    );
  }

  /** @returns what begins to read it. */
  function own(
    topic: string,
    partition: number,
    worker: PartitionWorker,
    log: LogBounds,
    failures: number,
  ): () => void {
    let position = worker.position;
    if (position < log.start) {
      lost(topic, partition, log.start - position);
      position = log.start;
    }
    const owned = new OwnedPartition(position, log.end, worker, failures, {
      isFull: (bytes) => bytes > options.maxInFlightBytes / Math.max(1, partitions.size),
      pause: () => consumer.pause([{ topic, partitions: [partition] }]),
      resume: () => consumer.resume([{ topic, partitions: [partition] }]),
      progress: () => unit.progress(inHand()),
      failed: (thrown, before) => void restart(topic, partition, thrown, before),
      lost: (from, to) => void checkGap(topic, partition, from, to),
      rewound: () =>
        void restart(
          topic,
          partition,
          new Error("The log begins again below what was read of it."),
          failures,
        ),
    });
    partitions.set(nameOf({ topic, partition }), { topic, partition, owned });
    return () => {
      consumer.seek({ topic, partition, offset: String(position) });
      consumer.resume([{ topic, partitions: [partition] }]);
    };
  }

  /** A worker that failed is forgotten; its successor begins from what is durable. */
  async function restart(topic: string, partition: number, thrown: unknown, failures: number): Promise<void> {
    if (stopping) return;
    const isFenced = thrown instanceof LogGuardianError && thrown.code.endsWith("_FENCED");
    logger[isFenced ? "info" : "warn"]("A partition is taken up again from what is durable.", {
      topic,
      partition,
      failures: failures + 1,
      error: isFenced ? reasonOf(thrown) : thrown,
    });
    consumer.pause([{ topic, partitions: [partition] }]);
    partitions.delete(nameOf({ topic, partition }));
    commits.forget({ topic, partition });
    if (options.isHopeless?.(thrown) === true) return fail(failureOf(thrown, topic, [partition]));
    await takeUp(topic, [partition], generation, { failures, thrown });
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

  function unread({ topic, partition }: Batch, { error, records }: UnreadableBatch): void {
    deps.onLost(records);
    logger.error("Records are left out: their batch cannot be unpacked.", {
      topic,
      partition,
      records,
      error: reasonOf(error),
    });
  }

  async function eachBatch({
    batch,
    resolveOffset,
    commitOffsetsIfNecessary,
  }: EachBatchPayload): Promise<void> {
    commits.through(commitOffsetsIfNecessary);
    const found = partitions.get(nameOf(batch));
    if (found === undefined) return;
    resolveOffset(batch.lastOffset());
    const records = batch.messages.map((message) => recordOf(batch.topic, batch.partition, message));
    for (const { unreadable } of records) if (unreadable !== undefined) unread(batch, unreadable);
    found.owned.push(records, Number(batch.highWatermark), Number(batch.lastOffset()));
  }

  /** Until the broker takes it, or the signal ends the waiting. */
  async function lastCommit(): Promise<void> {
    while (!(await commits.commit()) || isBehind) {
      if (deps.signal?.aborted || isBehind)
        throw new LogGuardianError(
          "LG_COMMIT",
          `${options.name} stops without having committed all that it did: Kafka does not answer.`,
          "Nothing is lost: it is done again after the next start.",
        );
      await sleep(tickMs, undefined, { signal: deps.signal }).catch(() => undefined);
    }
  }

  const sumOf = (part: (owned: OwnedPartition) => number) =>
    [...partitions.values()].reduce((sum, { owned }) => sum + part(owned), 0);
  const lag = () => sumOf((owned) => owned.lag());
  /** Only what was read can be stuck here: behind the last record a log may hold marks that nobody is given. */
  const inHand = () => sumOf(({ records }) => records);
  const isUpToDate = () =>
    [...partitions.values()].every(({ owned }) => owned.isPausing || owned.lag() === 0) &&
    !commits.isBehind();

  return {
    failed,
    async start() {
      await consumer.connect().catch((thrown) => {
        throw kafkaError(thrown, deps.brokers);
      });
      await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
      await run();
      timer = setInterval(() => {
        unit.inHand(inHand());
        if (isUpToDate()) upToDateAt = Date.now();
        void commits.commit();
        for (const { owned } of partitions.values()) owned.tick();
      }, tickMs);
    },
    async stop() {
      stopping = true;
      clearInterval(timer);
      try {
        await Promise.all([...[...partitions.values()].map(({ owned }) => owned.revoke()), ...leaving]);
        await lastCommit();
      } finally {
        await consumer.disconnect().catch(() => undefined);
        endWait?.();
        unit.ended();
      }
    },
    inFlightBytes: () => sumOf(({ bytes }) => bytes),
    lag,
    commitAgeMs: () => (isUpToDate() ? 0 : Date.now() - Math.max(upToDateAt, commits.lastAt())),
  };
}
