import { durationOf, sizeOf } from "../config/load.ts";
import type { PipelineConfig } from "../config/pipeline-schema.ts";
import type { Config } from "../config/schema.ts";
import type { RawRecord } from "../ingest/line.ts";
import { createSchemaRegistry, type SchemaRegistry } from "../ingest/schema-registry.ts";
import { connectKafka, type KafkaClient } from "../kafka/client.ts";
import {
  type Assignment,
  type ConsumerOptions,
  createPartitionConsumer,
  type PartitionConsumer,
} from "../kafka/consumer.ts";
import { deadLetterOf, reasonCodeOf } from "../kafka/dead-letters.ts";
import type { PartitionWorker } from "../kafka/partition-worker.ts";
import { createSender, type Sender } from "../kafka/sender.ts";
import { createTopics, type Topics } from "../kafka/topics.ts";
import { connectRedis, type RedisClient } from "../redis/client.ts";
import type { Health } from "../telemetry/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { groupName, type RoleName, sharedGroupName, sharedTopicPartitions, topicNames } from "./names.ts";

/** What the roles of one process share. */
export interface Services {
  config: Config;
  logger: Logger;
  health: Health;
  metrics: Metrics;
  /** Ends all waiting, when the process may wait no longer. */
  signal: AbortSignal;
  kafka: KafkaClient;
  topics: Topics;
  sender: Sender;
  /** Connected when first asked for. */
  redis(): Promise<RedisClient>;
  /** One for all pipelines; undefined where none is configured. */
  schemaRegistry: SchemaRegistry | undefined;
  close(): Promise<void>;
}

/** @throws LogGuardianError LG_KAFKA_*. */
export async function openServices(
  base: Pick<Services, "config" | "logger" | "health" | "metrics" | "signal">,
): Promise<Services> {
  const { config } = base;
  const kafka = await connectKafka(config.kafka, base);
  const sender = await createSender(kafka.kafka, base);
  let redis: Promise<RedisClient> | undefined;
  return {
    ...base,
    schemaRegistry:
      config.schemaRegistry === undefined ? undefined : createSchemaRegistry(config.schemaRegistry, base),
    kafka,
    sender,
    topics: createTopics(kafka.admin, {
      brokers: config.kafka.brokers,
      signal: base.signal,
      replicationFactor: config.topics.replicationFactor,
      retentionMs: durationOf(config.topics.retention),
    }),
    redis() {
      redis ??= connectRedis(config.redis, base);
      return redis;
    },
    async close() {
      await (await redis?.catch(() => undefined))?.close();
      await sender.close().catch(() => undefined);
      await kafka.close().catch(() => undefined);
    },
  };
}

/** One role of one pipeline, at work in this process. */
export interface Role {
  start(): Promise<void>;
  /** Settles when it cannot go on. */
  failed: Promise<Error>;
  /** Ends what is under way, commits, leaves. */
  stop(): Promise<void>;
}

/** What a role is told of its pipeline. */
export interface RoleContext {
  services: Services;
  /** Name of the pipeline. */
  pipeline: string;
  options: PipelineConfig;
}

/** What is fetched at once comes on top of the bytes in flight. Of our own topics less, as it unpacks to more. */
const maxFetchBytes: Record<RoleName, number> = {
  ingester: 512 * 1024,
  windower: 64 * 1024,
  detector: 64 * 1024,
  alerter: 64 * 1024,
  api: 64 * 1024,
};

/** A consumer set up as all roles set theirs up. Without a pipeline it reads for all of them. */
export function consumerFor(
  { services, pipeline = "" }: Pick<RoleContext, "services"> & { pipeline?: string },
  role: RoleName,
  topics: readonly string[],
  assign: (assignment: Assignment) => Promise<PartitionWorker>,
  more: Pick<ConsumerOptions, "isHopeless"> = {},
): PartitionConsumer {
  const { config, kafka, metrics } = services;
  const consumer = createPartitionConsumer(
    {
      ...services,
      kafka: kafka.kafka,
      brokers: config.kafka.brokers,
      onLost: (offsets) => metrics.lostOffsets.inc({ pipeline, role }, offsets),
      onRebalance: () => metrics.rebalances.inc({ pipeline, role }),
    },
    {
      group: pipeline === "" ? sharedGroupName(config, role) : groupName(config, pipeline, role),
      topics,
      sessionTimeoutMs: durationOf(config.limits.sessionTimeout),
      maxInFlightBytes: sizeOf(config.limits.inFlight),
      maxFetchBytes: maxFetchBytes[role],
      name: pipeline === "" ? role : `${role} ${pipeline}`,
      ...more,
    },
    assign,
  );
  metrics.startAtZero({ pipeline, role });
  metrics.onCollect(() => {
    metrics.inFlightBytes.set({ pipeline, role }, consumer.inFlightBytes());
    metrics.lag.set({ pipeline, role }, consumer.lag());
    metrics.commitAge.set({ pipeline, role }, consumer.commitAgeMs() / 1000);
  });
  return consumer;
}

/** What records of our own topics hold: undefined where they cannot be read, which goes to the dead letters. */
export async function decodeOwn<Message>(
  records: readonly RawRecord[],
  decode: (bytes: Buffer) => Message,
  bury: Bury,
): Promise<{ record: RawRecord; message: Message | undefined }[]> {
  const letters: { record: RawRecord; error: unknown }[] = [];
  const read = records.map((record) => {
    try {
      if (record.unreadable !== undefined) throw record.unreadable.error;
      // The rest of a batch that cannot be unpacked: it went with its first record.
      if (record.value === null) return { record, message: undefined };
      return { record, message: decode(record.value) };
    } catch (error) {
      letters.push({ record, error });
      return { record, message: undefined };
    }
  });
  await bury(letters);
  return read;
}

/** Sends records that cannot be used to the dead letters, counted and logged. */
export type Bury = (letters: readonly { record: RawRecord; error: unknown }[]) => Promise<void>;

export async function createBury({ services, pipeline }: RoleContext, role: RoleName): Promise<Bury> {
  const { config, topics, sender, metrics, logger } = services;
  const { deadLetters } = topicNames(config, pipeline);
  await topics.ensure(deadLetters, { partitions: sharedTopicPartitions, exactly: false });
  const partitions = await topics.partitions(deadLetters);
  return async (letters) => {
    const [first] = letters;
    if (first === undefined) return;
    await sender.send(
      deadLetters,
      letters.map(({ record, error }) => deadLetterOf(record, error, { pipeline, role }, partitions)),
    );
    for (const { error } of letters) metrics.deadLetters.inc({ pipeline, role, reason: reasonCodeOf(error) });
    logger.warn("Records went to the dead letters.", {
      pipeline,
      role,
      count: letters.length,
      first: { topic: first.record.topic, partition: first.record.partition, offset: first.record.offset },
      error: first.error instanceof Error ? first.error.message : String(first.error),
    });
  };
}
