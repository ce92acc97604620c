import { randomUUID } from "node:crypto";
import { sizeOf } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { RawRecord } from "../ingest/line.ts";
import { connectKafka } from "../kafka/client.ts";
import { readRanges } from "../kafka/read-ranges.ts";
import { createTopics } from "../kafka/topics.ts";
import { silentLogger } from "../telemetry/logger.ts";

/** All that a topic holds now, partition by partition; nothing is committed. @throws LogGuardianError LG_TOPIC_MISSING, LG_KAFKA_*. */
export async function* recordsOnTopic(config: Config, topic: string): AsyncGenerator<RawRecord> {
  const { brokers } = config.kafka;
  const client = await connectKafka(config.kafka, { logger: silentLogger });
  try {
    // Asks only; nothing is made with these.
    const topics = createTopics(client.admin, { brokers, replicationFactor: 1, retentionMs: 0 });
    await topics.partitions(topic);
    const bounds = [...(await topics.bounds(topic))].filter(([, { start, end }]) => start < end);
    const ranges = bounds.map(([partition, { start, end }]) => ({ topic, partition, from: start, end }));
    const reader = readRanges({ client, topics, brokers }, ranges, {
      group: `logguardian-read-${randomUUID()}`,
      maxBytes: sizeOf(config.limits.inFlight),
    });
    try {
      for (const { batches } of reader.ranges) for await (const batch of batches) yield* batch;
    } finally {
      await reader.close();
    }
  } finally {
    await client.close().catch(() => undefined);
  }
}
