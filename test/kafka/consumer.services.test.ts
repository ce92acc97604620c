import { randomUUID } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type Kafka } from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RawRecord } from "../../src/ingest/line.ts";
import { connectKafka, type KafkaClient } from "../../src/kafka/client.ts";
import {
  type Assignment,
  createPartitionConsumer,
  type PartitionConsumer,
} from "../../src/kafka/consumer.ts";
import type { PartitionWorker } from "../../src/kafka/partition-worker.ts";
import { createSender, roundsOf, type Sender } from "../../src/kafka/sender.ts";
import { createTopics, type Topics } from "../../src/kafka/topics.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { services } from "../support/services.ts";
import { until } from "../support/until.ts";

const brokers = [services.kafka.broker];
let client: KafkaClient;
let topics: Topics;
let sender: Sender;
beforeAll(async () => {
  client = await connectKafka({ brokers, clientId: "test" }, { logger: silentLogger });
  topics = createTopics(client.admin, { brokers, replicationFactor: 1, retentionMs: 3_600_000 });
  sender = await createSender(client.kafka, { logger: silentLogger, health: createHealth() });
});
afterAll(async () => {
  await sender.close();
  await client.close();
});

async function topicWith(messages: number, partitions = 1, size = 10): Promise<string> {
  const topic = `consumer-${randomUUID()}`;
  await topics.ensure(topic, { partitions, exactly: true });
  const all = Array.from({ length: messages }, (_, place) => ({
    partition: place % partitions,
    value: Buffer.from(String(place).padEnd(size)),
  }));
  // One at a time: of a new topic one partition may take what another refuses yet, and the sender repeats both.
  for (let mine = 0; mine < partitions; mine++)
    await sender.send(
      topic,
      all.filter(({ partition }) => partition === mine),
    );
  return topic;
}

/** A consumer whose workers do `process`, and what they were given. */
function consume(
  topic: string,
  options: {
    group?: string;
    process?: (records: readonly RawRecord[], at: Assignment) => Promise<void>;
    assign?: () => void;
    tick?: (state: { position: number; end: number }) => void;
    bytes?: number;
    kafka?: Kafka;
    isHopeless?: (thrown: unknown) => boolean;
  },
) {
  const seen: RawRecord[] = [];
  const assignments: Assignment[] = [];
  let lost = 0;
  let rebalances = 0;
  const consumer = createPartitionConsumer(
    {
      kafka: options.kafka ?? client.kafka,
      topics,
      logger: silentLogger,
      health: createHealth(),
      brokers,
      onLost: (offsets) => {
        lost += offsets;
      },
      onRebalance: () => {
        rebalances++;
      },
    },
    {
      group: options.group ?? randomUUID(),
      topics: [topic],
      sessionTimeoutMs: 6_000,
      maxInFlightBytes: options.bytes ?? 2 ** 20,
      maxFetchBytes: 512 * 1024,
      name: "test",
      ...(options.isHopeless === undefined ? {} : { isHopeless: options.isHopeless }),
    },
    async (assignment): Promise<PartitionWorker> => {
      assignments.push(assignment);
      options.assign?.();
      let position = assignment.committed?.offset ?? 0;
      return {
        position,
        async process(records) {
          await options.process?.(records, assignment);
          seen.push(...records);
          position = (records.at(-1)?.offset ?? -1) + 1;
        },
        tick: async (state) => options.tick?.(state),
        commitPoint: () => ({ offset: position, metadata: `at ${position}` }),
      };
    },
  );
  return { consumer, seen, assignments, lost: () => lost, rebalances: () => rebalances };
}

const offsets = (records: readonly RawRecord[]) => records.map(({ offset }) => offset);
const upTo = (count: number) => Array.from({ length: count }, (_, place) => place);

describe("a partition consumer", () => {
  it("hands records on in order and commits with metadata; the next one goes on from there", async () => {
    const topic = await topicWith(500);
    const group = randomUUID();
    const first = consume(topic, { group });
    await first.consumer.start();
    await until(() => first.seen.length === 500, "all was read");
    await first.consumer.stop();
    expect(offsets(first.seen)).toEqual(upTo(500));
    expect((await topics.committed(group, topic)).get(0)).toEqual({ offset: 500, metadata: "at 500" });

    await sender.send(topic, [{ partition: 0, value: Buffer.from("more") }]);
    const second = consume(topic, { group });
    await second.consumer.start();
    await until(() => second.seen.length > 0, "the rest was read");
    await second.consumer.stop();
    expect(offsets(second.seen)).toEqual([500]);
  });

  it("has read a log to its end that holds marks and rolled back records there, and still so when it comes back", async () => {
    const topic = await topicWith(0);
    const producer = client.kafka.producer({
      transactionalId: topic,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    for (const end of ["commit", "abort"] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: ["a", "b"].map((value) => ({ partition: 0, value })) });
      await transaction[end]();
    }
    await producer.disconnect();
    const group = randomUUID();
    for (const expected of [[0, 1], []]) {
      const states: { position: number; end: number }[] = [];
      const { consumer, seen } = consume(topic, { group, tick: (state) => void states.push(state) });
      await consumer.start();
      await until(() => states.at(-1)?.position === 6, "all was passed");
      expect(states.at(-1)?.end).toBe(6);
      expect(consumer.lag()).toBe(0);
      await consumer.stop();
      expect(offsets(seen)).toEqual(expected);
    }
  });

  it("begins again from what is durable when a worker fails, and loses nothing", async () => {
    const topic = await topicWith(100);
    let failures = 0;
    const { consumer, seen } = consume(topic, {
      process: async (records) => {
        if (failures < 2 && records.some(({ offset }) => offset >= 50)) {
          failures++;
          throw new Error("out of luck");
        }
      },
    });
    await consumer.start();
    await until(() => seen.length >= 100, "all was read");
    await consumer.stop();
    expect([...new Set(offsets(seen))]).toEqual(upTo(100));
    expect(failures).toBe(2);
  });

  it("joins again where kafkajs found no broker and gave up, and ends where it gave up for another reason", async () => {
    const topic = await topicWith(100);
    /** Fails once as kafkajs does; both are no errors that it restarts from. */
    const failing = (name: string): Kafka =>
      Object.assign(Object.create(client.kafka) as Kafka, {
        consumer(options: kafkajs.ConsumerConfig) {
          const real = client.kafka.consumer(options);
          let hasFailed = false;
          const run: kafkajs.Consumer["run"] = (config) =>
            real.run({
              ...config,
              async eachBatch(payload) {
                if (hasFailed) return config?.eachBatch?.(payload);
                hasFailed = true;
                throw Object.assign(new kafkajs.KafkaJSNonRetriableError("no broker"), { name });
              },
            });
          return { ...real, run };
        },
      });
    const { consumer, seen } = consume(topic, { kafka: failing("KafkaJSGroupCoordinatorNotFound") });
    await consumer.start();
    await until(() => seen.length === 100, "all was read");
    await consumer.stop();
    const other = consume(topic, { kafka: failing("KafkaJSNonRetriableError") });
    await other.consumer.start();
    expect(await other.consumer.failed).toMatchObject({ message: /no broker/ });
    await other.consumer.stop();
  });

  it("says how long the last commit is ago while something is not committed, and how often it was given partitions", async () => {
    const topic = await topicWith(10);
    const gate = Promise.withResolvers<void>();
    const { consumer, rebalances } = consume(topic, { process: () => gate.promise });
    expect(consumer.commitAgeMs()).toBe(0);
    await consumer.start();
    await until(() => consumer.commitAgeMs() > 1_500, "the commit grows old");
    gate.resolve();
    await until(() => consumer.commitAgeMs() === 0, "all is committed");
    await consumer.stop();
    expect(rebalances()).toBe(1);
  });

  it("gives up on a record that fails again and again", async () => {
    const topic = await topicWith(3);
    const { consumer } = consume(topic, {
      process: async () => {
        throw new Error("always");
      },
    });
    await consumer.start();
    expect(await consumer.failed).toMatchObject({ code: "LG_UNEXPECTED", message: /always/ });
    await consumer.stop();
  });

  it("gives up at once where another worker of this process would only fail likewise", async () => {
    const topic = await topicWith(3);
    const { consumer, assignments } = consume(topic, {
      process: async () => {
        throw new Error("its model has ended");
      },
      isHopeless: (thrown) => String(thrown).includes("its model has ended"),
    });
    await consumer.start();
    expect(await consumer.failed).toMatchObject({ message: /its model has ended/ });
    expect(assignments).toHaveLength(1);
    await consumer.stop();
  });

  it("counts what the log lost before it was read", async () => {
    const topic = await topicWith(100);
    await client.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "40" }] });
    const { consumer, seen, lost } = consume(topic, {});
    await consumer.start();
    await until(() => seen.length === 60, "the rest was read");
    await consumer.stop();
    expect(offsets(seen)[0]).toBe(40);
    expect(lost()).toBe(40);
  });

  it("shares partitions with others, never two owners of one at a time", async () => {
    const topic = await topicWith(400, 4);
    const group = randomUUID();
    const busy = new Set<number>();
    let overlaps = 0;
    const work = {
      group,
      process: async (_: readonly RawRecord[], { partition }: Assignment) => {
        if (busy.has(partition)) overlaps++;
        busy.add(partition);
        await sleep(100);
        busy.delete(partition);
      },
    };
    const members: (ReturnType<typeof consume> & { consumer: PartitionConsumer })[] = [
      consume(topic, work),
      consume(topic, work),
    ];
    await members[0]?.consumer.start();
    await members[1]?.consumer.start();
    await until(() => (members[1]?.assignments.length ?? 0) > 0, "the second got partitions");
    for (let round = 0; round < 5; round++) {
      await sender.send(
        topic,
        upTo(40).map((place) => ({ partition: place % 4, value: Buffer.from("more") })),
      );
      await sleep(200);
    }
    const all = () =>
      new Set(members.flatMap(({ seen }) => seen.map(({ partition, offset }) => `${partition} ${offset}`)));
    // Delivery is at least once: under load the broker may hold a message twice.
    const held = [...(await topics.bounds(topic)).values()].reduce((sum, { end }) => sum + end, 0);
    await until(() => all().size === held, "all was read");
    expect(held).toBeGreaterThanOrEqual(600);
    expect(members[1]?.seen.length).toBeGreaterThan(0);
    await members[0]?.consumer.stop();
    await members[1]?.consumer.stop();
    expect(overlaps).toBe(0);
  });

  it("never commits backwards, though connections break while members come and go", async () => {
    const topic = await topicWith(120_000, 4);
    const group = randomUUID();
    const sockets = new Set<Socket>();
    const collect = (event: unknown) => void sockets.add((event as { socket: Socket }).socket);
    subscribe("net.client.socket", collect);
    const work = { group, process: () => sleep(60) };
    const stay = consume(topic, work);
    await stay.consumer.start();
    const highest = new Map<number, number>();
    let watching = true;
    const watch = (async () => {
      for (; watching; await sleep(20))
        for (const [partition, { offset }] of await topics.committed(group, topic)) {
          expect(offset).toBeGreaterThanOrEqual(highest.get(partition) ?? 0);
          highest.set(partition, offset);
        }
    })();
    const breakAll = () => {
      for (const socket of sockets) socket.destroy(new Error("read ECONNRESET"));
      sockets.clear();
    };
    for (let round = 0; round < 4; round++) {
      const guest = consume(topic, work);
      await guest.consumer.start();
      // Commits that were cut off are tried again while the group changes hands.
      for (let cut = 0; cut < 8; cut++) {
        await sleep(170);
        breakAll();
      }
      await sleep(2_000);
      // Where it has not joined again yet, it cannot commit what it did; whoever comes next does it again.
      await guest.consumer.stop().catch((thrown) => {
        if (thrown.code !== "LG_COMMIT") throw thrown;
      });
    }
    unsubscribe("net.client.socket", collect);
    await until(
      () => [...highest.values()].reduce((sum, offset) => sum + offset, 0) >= 120_000,
      "all was committed",
      90_000,
    );
    watching = false;
    await watch;
    await stay.consumer.stop();
  });

  it("commits nothing of a partition that it lost while it was stopping", async () => {
    const topic = await topicWith(40, 2);
    const group = randomUUID();
    const [work, leave] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    // One that sleeps, or is slow: still a member of the new generation when its work ends.
    const slowToLeave = {
      consumer(options: Parameters<Kafka["consumer"]>[0]) {
        const consumer = client.kafka.consumer(options);
        return { ...consumer, disconnect: () => leave.promise.then(() => consumer.disconnect()) };
      },
    } as Kafka;
    let begun = 0;
    const first = consume(topic, {
      group,
      kafka: slowToLeave,
      process: () => {
        begun++;
        return work.promise;
      },
    });
    await first.consumer.start();
    await until(() => begun === 2, "both partitions are being processed");
    const stopped = first.consumer.stop();

    const second = consume(topic, { group });
    await second.consumer.start();
    await until(() => second.seen.length >= 20, "the second has one of them");
    const partition = second.assignments[0]?.partition ?? 0;
    await sender.send(
      topic,
      upTo(10).map((place) => ({ partition, value: Buffer.from(`more ${place}`) })),
    );
    // Thirty, or more: a sender that was not sure sends again.
    const end = (await topics.bounds(topic)).get(partition)?.end ?? 0;
    const committed = async () => (await topics.committed(group, topic)).get(partition)?.offset;
    await until(async () => (await committed()) === end, "the second has committed what it did");
    work.resolve();
    await sleep(1_500);
    expect(await committed()).toBe(end);
    leave.resolve();
    await stopped;
    await second.consumer.stop();
  });

  it("hands over slices, and stops after the one that is being processed", async () => {
    const topic = await topicWith(3_000);
    const slices: number[] = [];
    const { consumer } = consume(topic, {
      process: async (records) => {
        slices.push(records.length);
        await sleep(300);
      },
    });
    await consumer.start();
    await until(() => slices.length > 1, "a slice was processed");
    await consumer.stop();
    const stoppedAt = slices.length;
    await sleep(700);
    expect(Math.max(...slices)).toBe(256);
    expect(slices.length).toBe(stoppedAt);
    expect(stoppedAt).toBeLessThan(12);
  });

  it("gives up on a partition that cannot be taken over, whatever is thrown", async () => {
    const { consumer } = consume(await topicWith(1), {
      assign: () => {
        throw new SyntaxError("not JSON");
      },
    });
    await consumer.start();
    expect(await consumer.failed).toMatchObject({ code: "LG_UNEXPECTED", message: /not JSON/ });
    await consumer.stop();
  });

  it("holds no more bytes than it may, and one fetch", async () => {
    const topic = await topicWith(300, 1, 10_000);
    let most = 0;
    const held: { consumer?: PartitionConsumer } = {};
    const { consumer, seen } = consume(topic, {
      bytes: 200_000,
      process: async () => {
        most = Math.max(most, held.consumer?.inFlightBytes() ?? 0);
        await sleep(50);
      },
    });
    held.consumer = consumer;
    await consumer.start();
    await until(() => seen.length === 300, "all was read");
    await consumer.stop();
    expect(most).toBeGreaterThan(0);
    // A fetch brings at least one whole batch, and producers make batches of up to a megabyte.
    expect(most).toBeLessThan(200_000 + 1.1 * 950_000);
    expect(offsets(seen)).toEqual(upTo(300));
  });
});

describe("a sender", () => {
  it("keeps each partition's part of a request below the broker's limit, and its order", async () => {
    const messages = upTo(60).map((place) => ({ partition: place % 2, value: Buffer.alloc(100_000, place) }));
    const rounds = roundsOf(messages);
    expect(rounds.length).toBe(4);
    for (const partition of [0, 1])
      expect(rounds.flat().filter((message) => message.partition === partition)).toEqual(
        messages.filter((message) => message.partition === partition),
      );
    // Each partition takes one before: what a new one refuses is sent again to the other, too.
    const topic = await topicWith(2, 2);
    await sender.send(topic, messages);
    expect(await topics.bounds(topic)).toEqual(
      new Map([
        [0, { start: 0, end: 31 }],
        [1, { start: 0, end: 31 }],
      ]),
    );
  });

  it("says what is wrong where waiting does not help", async () => {
    const topic = await topicWith(0);
    const tooLarge = [{ partition: 0, value: Buffer.alloc(3_000_000) }];
    await expect(sender.send(topic, tooLarge)).rejects.toMatchObject({ code: "LG_KAFKA_SEND" });
  });
});
