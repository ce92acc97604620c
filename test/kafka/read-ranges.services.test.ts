import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectKafka, type KafkaClient } from "../../src/kafka/client.ts";
import { type OffsetRange, readRanges } from "../../src/kafka/read-ranges.ts";
import { createTopics, type Topics } from "../../src/kafka/topics.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { services } from "../support/services.ts";

const brokers = [services.kafka.broker];
let client: KafkaClient;
let topics: Topics;
beforeAll(async () => {
  client = await connectKafka({ brokers, clientId: "test" }, { logger: silentLogger });
  topics = createTopics(client.admin, { brokers, replicationFactor: 1, retentionMs: 3_600_000 });
});
afterAll(() => client.close());

/** A new topic of two partitions with so many records of 10 kB in each. */
async function topicWith(count: number, transactional = false): Promise<string> {
  const topic = `ranges-${randomUUID()}`;
  await topics.ensure(topic, { partitions: 2, exactly: true });
  const producer = client.kafka.producer(
    transactional ? { transactionalId: topic, maxInFlightRequests: 1, idempotent: true } : {},
  );
  await producer.connect();
  const sending = transactional ? await producer.transaction() : producer;
  for (let from = 0; from < count; from += 50)
    await sending.send({
      topic,
      messages: Array.from({ length: Math.min(50, count - from) * 2 }, (_, place) => ({
        partition: place % 2,
        value: "x".repeat(10_000),
      })),
    });
  if ("commit" in sending) await sending.commit();
  await producer.disconnect();
  return topic;
}

function read(ranges: readonly OffsetRange[], options: { maxBytes?: number; signal?: AbortSignal } = {}) {
  const group = `ranges-${randomUUID()}`;
  const reader = readRanges({ client, topics, brokers }, ranges, { group, maxBytes: 100_000, ...options });
  const offsetsOf = async (place: number) => {
    const offsets: number[] = [];
    for await (const batch of reader.ranges[place]?.batches ?? [])
      offsets.push(...batch.map(({ offset }) => offset));
    return offsets;
  };
  return { group, reader, offsetsOf };
}

const between = (from: number, end: number) => Array.from({ length: end - from }, (_, place) => from + place);

describe("ranges of offsets", () => {
  it("are read whole, in order and nothing beyond, whichever is taken first, though little may wait", async () => {
    const topic = await topicWith(400);
    const { reader, offsetsOf } = read([
      { topic, partition: 0, from: 20, end: 390 },
      { topic, partition: 1, from: 0, end: 400 },
    ]);
    expect(await offsetsOf(1)).toEqual(between(0, 400));
    expect(await offsetsOf(0)).toEqual(between(20, 390));
    await reader.close();
  });

  it("end where their last offset holds a transaction's mark and no record", async () => {
    const topic = await topicWith(10, true);
    // The broker writes the mark after the commit was answered.
    const end = 11;
    await expect.poll(async () => (await topics.bounds(topic)).get(0)?.end, { timeout: 30_000 }).toBe(end);
    const { reader, offsetsOf } = read([
      { topic, partition: 0, from: 0, end },
      { topic, partition: 1, from: 10, end },
    ]);
    expect(await offsetsOf(0)).toEqual(between(0, 10));
    expect(await offsetsOf(1)).toEqual([]);
    await reader.close();
  });

  it("that are empty end at once", async () => {
    const { reader, offsetsOf } = read([{ topic: "never read", partition: 0, from: 3, end: 3 }]);
    expect(await offsetsOf(0)).toEqual([]);
    await reader.close();
  });

  it("end with the signal's reason, and leave no group behind", async () => {
    const topic = await topicWith(100);
    const stop = new AbortController();
    const range = { topic, partition: 0, from: 0, end: 100 };
    const { group, reader, offsetsOf } = read([range], { signal: stop.signal });
    await reader.ranges[0]?.batches.next();
    stop.abort(new Error("enough"));
    await expect(offsetsOf(0)).rejects.toThrow("enough");
    await reader.close();
    const { groups } = await client.admin.listGroups();
    expect(groups.map(({ groupId }) => groupId)).not.toContain(group);
  });
});
