import { randomUUID } from "node:crypto";
import kafkajs from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { UnreadableBatch } from "../../src/ingest/line.ts";
import { connectKafka, type KafkaClient } from "../../src/kafka/client.ts";
import { createPartitionConsumer, type PartitionConsumer } from "../../src/kafka/consumer.ts";
import { createTopics, type Topics } from "../../src/kafka/topics.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { services } from "../support/services.ts";
import { until } from "../support/until.ts";

const brokers = [services.kafka.broker];
const codecs = ["GZIP", "Snappy", "LZ4", "ZSTD"] as const;
let client: KafkaClient;
let topics: Topics;
let consumer: PartitionConsumer;
let lost: number;
let unreadable: UnreadableBatch[];
beforeAll(async () => {
  client = await connectKafka({ brokers, clientId: "test" }, { logger: silentLogger });
  topics = createTopics(client.admin, { brokers, replicationFactor: 1, retentionMs: 3_600_000 });
});
afterAll(async () => {
  await client.close();
});

interface KafkajsCodec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

function codecOf(codec: (typeof codecs)[number]): KafkajsCodec {
  return kafkajs.CompressionCodecs[kafkajs.CompressionTypes[codec]]() as KafkajsCodec;
}

async function topicOf(codec: (typeof codecs)[number], values: Buffer[]): Promise<string> {
  const topic = `compression-${randomUUID()}`;
  await topics.ensure(topic, { partitions: 1, exactly: true });
  await send(topic, codec, values);
  return topic;
}

async function send(topic: string, codec: (typeof codecs)[number], values: Buffer[]): Promise<void> {
  const producer = client.kafka.producer();
  await producer.connect();
  const compression = kafkajs.CompressionTypes[codec];
  await producer.send({ topic, compression, messages: values.map((value) => ({ value })) });
  await producer.disconnect();
}

async function read(topic: string): Promise<Buffer[]> {
  const values: Buffer[] = [];
  lost = 0;
  unreadable = [];
  const deps = { kafka: client.kafka, topics, logger: silentLogger, health: createHealth(), brokers };
  consumer = createPartitionConsumer(
    { ...deps, onLost: (offsets) => (lost += offsets), onRebalance: () => undefined },
    {
      group: randomUUID(),
      topics: [topic],
      sessionTimeoutMs: 6_000,
      maxInFlightBytes: 2 ** 20,
      maxFetchBytes: 512 * 1024,
      name: "test",
    },
    async () => ({
      position: 0,
      process: async (records) => {
        values.push(...records.map(({ value }) => value ?? Buffer.alloc(0)));
        unreadable.push(...records.flatMap((one) => one.unreadable ?? []));
      },
      commitPoint: () => ({ offset: 0, metadata: "" }),
    }),
  );
  await consumer.start();
  return values;
}

describe.each(codecs)("a topic compressed with %s", (codec) => {
  it("is read as it was written", async () => {
    const sent = Array.from({ length: 2_000 }, (_, place) =>
      Buffer.from(`line ${place} ${"again ".repeat(place % 50)}`),
    );
    const values = await read(await topicOf(codec, sent));
    await until(() => values.length >= sent.length, "all was read");
    await consumer.stop();
    expect(values.map(String)).toEqual(sent.map(String));
  });

  it("cannot fill the memory", async () => {
    const bomb = await codecOf(codec).compress({ buffer: Buffer.alloc(65 * 2 ** 20) });
    await expect(codecOf(codec).decompress(bomb)).rejects.toMatchObject({
      code: "LG_KAFKA_BATCH_SIZE",
      message: `A ${codec} batch unpacks to more than 64 MB.`,
    });
    await expect(codecOf(codec).decompress(bomb.subarray(0, 1_000))).rejects.toMatchObject({
      code: expect.stringMatching(/^LG_KAFKA_BATCH_/),
    });
  });
});

describe("a batch that cannot be unpacked", () => {
  // Snappy packs no batch of this size into one megabyte.
  it.each(["GZIP", "LZ4", "ZSTD"] as const)(
    "is left out, and what follows it is read (%s)",
    async (codec) => {
      const bomb = Buffer.alloc(33 * 2 ** 20);
      const topic = await topicOf(codec, [bomb, bomb]);
      await send(topic, codec, [Buffer.from("after it")]);
      const values = await read(topic);
      await until(() => values.length >= 3, "all was read");
      await consumer.stop();
      expect(values.map(String)).toEqual(["", "", "after it"]);
      expect(lost).toBe(2);
      expect(unreadable).toMatchObject([
        {
          records: 2,
          error: {
            code: "LG_KAFKA_BATCH_SIZE",
            message: `A ${codec} batch unpacks to more than 64 MB. Its offsets 0 to 1 are left out.`,
          },
        },
      ]);
    },
  );
});

describe("what Java's clients write with snappy", () => {
  it("is xerial's stream of blocks", async () => {
    const blocks = await Promise.all(
      ["one ", "two"].map((text) => codecOf("Snappy").compress({ buffer: Buffer.from(text) })),
    );
    const sized = blocks.flatMap((block) => {
      const size = Buffer.alloc(4);
      size.writeUInt32BE(block.length);
      return [size, block];
    });
    const stream = Buffer.concat([Buffer.from("82534e4150505900" + "0000000100000001", "hex"), ...sized]);
    expect(String(await codecOf("Snappy").decompress(stream))).toBe("one two");
  });
});
