import { randomUUID } from "node:crypto";
import type { RawRecord } from "../ingest/line.ts";
import type { KafkaClient } from "./client.ts";
import { readRanges } from "./read-ranges.ts";
import type { Topics } from "./topics.ts";

/**
 * The newest records of a topic, at most `limit`, the oldest first. Nothing is committed.
 * @throws LogGuardianError LG_TOPIC_MISSING, LG_KAFKA_*.
 */
export async function newestRecords(
  deps: { client: KafkaClient; topics: Topics; brokers: readonly string[] },
  topic: string,
  limit: number,
): Promise<RawRecord[]> {
  await deps.topics.partitions(topic);
  const bounds = await deps.topics.bounds(topic);
  const reader = readRanges(
    deps,
    [...bounds].map(([partition, { start, end }]) => ({
      topic,
      partition,
      from: Math.max(start, end - limit),
      end,
    })),
    { group: `logguardian-decode-${randomUUID()}`, maxBytes: Number.POSITIVE_INFINITY },
  );
  const records: RawRecord[] = [];
  try {
    for (const { batches } of reader.ranges) for await (const batch of batches) records.push(...batch);
  } finally {
    await reader.close();
  }
  return records
    .sort((a, b) => a.timestamp - b.timestamp || a.partition - b.partition || a.offset - b.offset)
    .slice(-limit);
}
