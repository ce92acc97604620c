import { randomUUID } from "node:crypto";
import type { RawRecord } from "../ingest/line.ts";
import { type KafkaClient, kafkaError } from "./client.ts";
import { recordOf } from "./record.ts";
import type { Topics } from "./topics.ts";

/** Offsets at the log's end may hold no record (marks of transactions): nothing new for this long is the end. */
const silentForMs = 5_000;
const firstWithinMs = 30_000;

/**
 * The newest records of a topic, at most `limit`, the oldest first. Nothing is committed: the group that Kafka's protocol
 * asks for exists only as long as this. @throws LogGuardianError LG_TOPIC_MISSING, LG_KAFKA_*.
 */
export async function newestRecords(
  deps: { client: KafkaClient; topics: Topics; brokers: readonly string[] },
  topic: string,
  limit: number,
): Promise<RawRecord[]> {
  const { client, topics, brokers } = deps;
  await topics.partitions(topic);
  const wanted = new Map(
    [...(await topics.bounds(topic))]
      .map(([partition, { start, end }]) => [partition, { from: Math.max(start, end - limit), end }] as const)
      .filter(([, { from, end }]) => from < end),
  );
  if (wanted.size === 0) return [];
  const group = `logguardian-decode-${randomUUID()}`;
  const consumer = client.kafka.consumer({
    groupId: group,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 200,
  });
  const records: RawRecord[] = [];
  const left = new Set(wanted.keys());
  try {
    await new Promise<void>((resolve, reject) => {
      const silent = () =>
        reject(kafkaError(new Error(`no record of ${topic} came within ${firstWithinMs / 1000} s`), brokers));
      let quiet = setTimeout(silent, firstWithinMs);
      const done = () => {
        clearTimeout(quiet);
        resolve();
      };
      consumer.on(consumer.events.GROUP_JOIN, () => {
        // Who joins again reads again.
        records.length = 0;
        for (const partition of wanted.keys()) left.add(partition);
        for (const [partition, { from }] of wanted) consumer.seek({ topic, partition, offset: String(from) });
      });
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) reject(kafkaError(payload.error, brokers));
      });
      const run = async () => {
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await consumer.run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            const bounds = wanted.get(batch.partition);
            if (bounds === undefined || !left.has(batch.partition)) return;
            clearTimeout(quiet);
            quiet = setTimeout(resolve, silentForMs);
            for (const message of batch.messages) {
              const offset = Number(message.offset);
              if (offset >= bounds.from && offset < bounds.end)
                records.push(recordOf(topic, batch.partition, message));
            }
            if (Number(batch.lastOffset()) >= bounds.end - 1) left.delete(batch.partition);
            if (left.size === 0) done();
          },
        });
      };
      run().catch((thrown) => reject(kafkaError(thrown, brokers)));
    });
  } finally {
    await consumer.disconnect().catch(() => undefined);
    await client.admin.deleteGroups([group]).catch(() => undefined);
  }
  return records
    .sort((a, b) => a.timestamp - b.timestamp || a.partition - b.partition || a.offset - b.offset)
    .slice(-limit);
}
