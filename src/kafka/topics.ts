import type { Admin, PartitionMetadata } from "kafkajs";
import { LogGuardianError } from "../errors.ts";
import { retry } from "../retry.ts";
import { isTransient, kafkaError } from "./client.ts";

/** A partition of a topic. */
export interface Place {
  topic: string;
  partition: number;
}

export function nameOf({ topic, partition }: Place): string {
  return `${topic} ${partition}`;
}

/** Offsets that a partition holds: from `start` to before `end`. */
export interface LogBounds {
  start: number;
  end: number;
}

export interface Committed {
  offset: number;
  metadata: string;
}

/** A topic of ours. */
export interface WantedTopic {
  partitions: number;
  /** Whether another number of them will not do. */
  exactly: boolean;
  /** Keeps the newest message of each key, for ever, instead of all for a time. */
  isCompacted?: boolean;
}

/** What is asked of topics and groups, not of their messages. */
export interface Topics {
  /**
   * Makes a topic of ours where it is missing.
   * @throws LogGuardianError LG_TOPIC_PARTITIONS where it has another number of partitions.
   */
  ensure(topic: string, wanted: WantedTopic): Promise<void>;
  /** @throws LogGuardianError LG_TOPIC_MISSING. */
  partitions(topic: string): Promise<number>;
  bounds(topic: string): Promise<Map<number, LogBounds>>;
  /** By partition: offset of the first record stamped at this time or later, or the log's end. */
  offsetsAt(topic: string, timeMs: number): Promise<Map<number, number>>;
  /** By partition; those never committed are left out. */
  committed(group: string, topic: string): Promise<Map<number, Committed>>;
}

/** Of a topic whose keys must keep their partition. @throws LogGuardianError LG_TOPIC_PARTITIONS. */
export function assertPartitions(topic: string, found: number, wanted: number): void {
  if (found === wanted) return;
  throw new LogGuardianError(
    "LG_TOPIC_PARTITIONS",
    `The topic ${topic} has ${found} partitions; the configuration says ${wanted}.`,
    "Set the pipeline's partitions to that number, or make a pipeline of another name: window keys would change their partition.",
  );
}

/** Questions are asked this often while the broker is away: for some ten seconds. */
const tries = 8;
/** What a broker has agreed to make is waited for longer, for over a minute: a busy one may take that. */
const triesOfNew = 20;

export function createTopics(
  admin: Admin,
  options: {
    brokers: readonly string[];
    replicationFactor: number;
    retentionMs: number;
    signal?: AbortSignal;
  },
): Topics {
  async function ask<T>(question: () => Promise<T>, attempts = tries): Promise<T> {
    try {
      return await retry(question, { attempts, isTransient, signal: options.signal });
    } catch (thrown) {
      throw kafkaError(thrown, options.brokers);
    }
  }

  async function describe(topic: string): Promise<PartitionMetadata[] | undefined> {
    return ask(async () => {
      const all = await admin.listTopics();
      if (!all.includes(topic)) return undefined;
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions;
    });
  }

  return {
    async ensure(topic, { partitions, exactly, isCompacted = false }) {
      let found = await describe(topic);
      if (found === undefined) {
        // Other processes may be making it at the same time; that is answered by false.
        await ask(() =>
          admin.createTopics({
            waitForLeaders: false,
            topics: [
              {
                topic,
                numPartitions: partitions,
                replicationFactor: options.replicationFactor,
                configEntries: [
                  isCompacted
                    ? { name: "cleanup.policy", value: "compact" }
                    : { name: "retention.ms", value: String(options.retentionMs) },
                ],
              },
            ],
          }),
        );
        found = await ask(async () => {
          const made = await describe(topic);
          // What is sent to a partition without a leader fails, and is then sent twice to those that have one.
          if (made === undefined || made.some(({ leader }) => leader < 0))
            throw new Error(`The topic ${topic} is not ready yet.`);
          return made;
        }, triesOfNew);
      }
      if (exactly) assertPartitions(topic, found.length, partitions);
    },

    async partitions(topic) {
      const found = await describe(topic);
      if (found !== undefined) return found.length;
      throw new LogGuardianError(
        "LG_TOPIC_MISSING",
        `The topic ${topic} does not exist.`,
        "Create it, or correct the pipeline's topics.",
      );
    },

    async bounds(topic) {
      const found = await ask(() => admin.fetchTopicOffsets(topic));
      return new Map(
        found.map(({ partition, low, high }) => [partition, { start: Number(low), end: Number(high) }]),
      );
    },

    async offsetsAt(topic, timeMs) {
      const found = await ask(() => admin.fetchTopicOffsetsByTimestamp(topic, timeMs));
      return new Map(found.map(({ partition, offset }) => [partition, Number(offset)]));
    },

    async committed(group, topic) {
      const [found] = await ask(() => admin.fetchOffsets({ groupId: group, topics: [topic] }));
      return new Map(
        (found?.partitions ?? [])
          .filter(({ offset }) => Number(offset) >= 0)
          .map(({ partition, offset, metadata }) => [
            partition,
            { offset: Number(offset), metadata: metadata ?? "" },
          ]),
      );
    },
  };
}
