import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import { afterEach, describe, expect, it } from "vitest";
import { account, startServices } from "../../scripts/services.mjs";
import { decodeLines } from "../../src/codec/lines.ts";
import { simulateHdfs } from "../../src/simulate/hdfs.ts";
import { root } from "../support/data.ts";
import { services } from "../support/services.ts";
import { Stream } from "../support/stream.ts";
import { until } from "../support/until.ts";

const tls = { ca: services.certificate };
const secured = {
  kafka: {
    brokers: [services.kafka.securedBroker],
    tls,
    sasl: { mechanism: "scram-sha-512", username: account.username },
  },
  redis: { url: services.redis.securedUrl, username: account.username, tls },
};
let streams: Stream[] = [];
afterEach(() => {
  for (const stream of streams) stream.abandon();
  streams = [];
});

function streamFor(name: string): { stream: Stream; pipeline: Record<string, unknown> } {
  const stream = new Stream(services, `test-${name}-${Date.now()}`);
  streams.push(stream);
  const pipeline = {
    topics: [`${stream.prefix}-raw`],
    from: "earliest",
    format: "filebeat",
    layout: "hdfs",
    key: { pattern: "blk_-?\\d+" },
    window: { kind: "session", gap: "6s" },
    partitions: 2,
  };
  return { stream, pipeline };
}

/** By partition; asked by a client of its own, since others remember how many partitions there are. */
async function committedOffsets(stream: Stream, groupId: string, topic: string): Promise<string> {
  const admin = stream.kafka.admin();
  await admin.connect();
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  await admin.disconnect();
  return [...(found?.partitions ?? [])]
    .sort((a, b) => a.partition - b.partition)
    .map(({ offset }) => offset)
    .join();
}

/** `logguardian start`, expected to end by itself. */
function failingStart(config: string, environment: Record<string, string> = {}) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, "bin/logguardian.js"), "start", "--config", config],
    { encoding: "utf8", env: { ...process.env, ...environment }, timeout: 60_000 },
  );
  return { status, stderr: stderr.trim() };
}

describe("all roles in one process", () => {
  it("work over TLS with SASL and an ACL user, bury what they cannot read, alert, and stop in order", async () => {
    const { stream, pipeline } = streamFor("secured");
    const passwordFile = join(stream.folder, "password");
    writeFileSync(passwordFile, `${account.password}\n`);
    stream.configure({ ...secured, pipelines: { secured: { ...pipeline, alert: { lines: "raw" } } } });
    stream.environment = {
      LOGGUARDIAN_KAFKA_SASL_PASSWORD: account.password,
      LOGGUARDIAN_REDIS_PASSWORD_FILE: passwordFile,
    };
    const topic = `${stream.prefix}-raw`;
    await stream.createTopic(topic, 2);
    const simulation = simulateHdfs({ rate: 300, faultRate: 0.2, seed: 2, lines: 600, start: 1e12 });
    const producer = stream.kafka.producer();
    await producer.connect();
    await producer.send({
      topic,
      compression: kafkajs.CompressionTypes.GZIP,
      messages: [{ value: Buffer.alloc(65 * 2 ** 20), partition: 0 }],
    });
    await producer.send({
      topic,
      messages: [
        ...[...simulation.lines].map(({ text }, offset) => ({
          value: JSON.stringify({ log: { file: { path: "/a" }, offset }, message: text }),
        })),
        { key: "the key", value: "{ broken", headers: { original: "kept" } },
        { value: Buffer.from([0xff, 0xfe]) },
        { value: JSON.stringify({ other: 1 }) },
        { value: "x".repeat(900_000) },
      ],
    });
    const { port } = await stream.start();
    // Two records in a batch that nobody can unpack, on a topic of our own.
    await producer.send({
      topic: `${stream.prefix}.lines.secured`,
      compression: kafkajs.CompressionTypes.GZIP,
      messages: [
        { value: Buffer.alloc(65 * 2 ** 20), partition: 0 },
        { value: "", partition: 0 },
      ],
    });
    await producer.disconnect();
    const seen = await stream.command(["doctor"]);
    for (const service of ["configuration", "Kafka", "Redis", "Alertmanager", "pipeline secured"])
      expect(seen).toContain(`ok    ${service}: `);
    await stream.command(["flush", "--pipeline", "secured"]);

    const faulty = [...simulation.labels].filter(([, fault]) => fault !== null).map(([block]) => block);
    const verdicts = await stream.verdicts(faulty.length, { timeoutMs: 180_000 });
    expect(verdicts.map(({ logguardian }) => logguardian.key).sort()).toEqual(faulty.sort());
    expect(verdicts.every(({ event }) => event.kind === "alert")).toBe(true);

    const letters = await stream.read(`${stream.prefix}.dead-letters`, (read) => read.length >= 6, 60_000);
    const headers = letters.map((letter) =>
      Object.fromEntries(Object.entries(letter.headers ?? {}).map(([name, value]) => [name, String(value)])),
    );
    expect(headers.map((held) => held["lg-reason"]).sort()).toEqual([
      "LG_KAFKA_BATCH_SIZE",
      "LG_KAFKA_BATCH_SIZE",
      "LG_RECORD_ENCODING",
      "LG_RECORD_JSON",
      "LG_RECORD_JSON",
      "LG_RECORD_NO_LINE",
    ]);
    const ofBatch = (role: string) =>
      headers.find((held) => held["lg-reason"] === "LG_KAFKA_BATCH_SIZE" && held["lg-role"] === role);
    expect(ofBatch("windower")).toMatchObject({ "lg-topic": `${stream.prefix}.lines.secured` });
    expect(ofBatch("ingester")).toMatchObject({
      "lg-message": "A GZIP batch unpacks to more than 64 MB. Its offsets 0 to 0 are left out.",
      "lg-partition": "0",
      "lg-offset": "0",
    });
    const broken = letters.findIndex(({ value }) => String(value) === "{ broken");
    expect(String(letters[broken]?.key)).toBe("the key");
    expect(headers[broken]).toMatchObject({ original: "kept", "lg-topic": topic, "lg-role": "ingester" });
    const large = letters.findIndex((_, place) => headers[place]?.["lg-size"] === "900000");
    expect(letters[large]?.value?.length).toBe(65_536);
    expect(headers[large]?.["lg-sha256"]).toMatch(/^[0-9a-f]{64}$/);

    let alerts: { annotations: { lines: string; summary: string } }[] = [];
    await until(async () => {
      const url = `${services.alertmanager.url}/api/v2/alerts?filter=pipeline%3D%22secured%22`;
      alerts = (await (await fetch(url)).json()) as typeof alerts;
      return alerts.length > 0;
    }, "it alerts");
    const texts = verdicts.flatMap(({ logguardian }) => logguardian.lines.map(({ text }) => text));
    for (const { annotations } of alerts)
      for (const line of annotations.lines.split("\n"))
        expect(texts).toContain(line.replace(/^\S+ {2}/, "").replace(/ \(\d+ times\)$/, ""));

    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    for (const row of [
      /^logguardian_rebalances_total\{pipeline="secured",role="windower"\} \d+$/m,
      /^logguardian_commit_age_seconds\{pipeline="secured",role="ingester"\} [\d.]+$/m,
      /^logguardian_pending_windows\{pipeline="secured",partition="0"\} 0$/m,
      /^logguardian_cache_bytes\{pipeline="secured",cache="verdicts"\} [1-9]\d*$/m,
      /^logguardian_cache_requests\{pipeline="secured",cache="\w+",result="miss"\} [1-9]\d*$/m,
    ])
      expect(metrics).toMatch(row);
    // Only a flush closed these windows: they waited for it, not for the pipeline.
    expect(metrics).not.toContain("logguardian_record_to_verdict_seconds_count{");

    const logs = stream.logs();
    expect(logs).toContain("Records went to the dead letters.");
    expect(logs).toContain("Records are left out: their batch cannot be unpacked.");
    expect(logs).not.toContain(account.password);
    await stream.stop();
  });
});

describe("an ingester that begins at the end of its topic", () => {
  it("begins at the start of a partition that was added, and survives a commit that is not its own", async () => {
    const { stream, pipeline } = streamFor("latest");
    stream.configure({ pipelines: { latest: { ...pipeline, from: "latest" } } });
    const topic = `${stream.prefix}-raw`;
    const groupId = `${stream.prefix}.latest.ingester`;
    await stream.createTopic(topic, 2);
    const admin = stream.kafka.admin();
    await admin.connect();
    /** By a client of its own, for the same reason. */
    const send = async (partition: number, message: string) => {
      const producer = stream.kafka.producer();
      await producer.connect();
      await producer.send({ topic, messages: [{ partition, value: JSON.stringify({ message }) }] });
      await producer.disconnect();
    };
    const committed = () => committedOffsets(stream, groupId, topic);
    await send(0, "before");
    await stream.start("ingester");
    await expect.poll(committed, { timeout: 30_000 }).toBe("1,0");
    await stream.stop();
    const former = JSON.stringify({ incarnation: "7", partitions: 2 });
    const member = stream.kafka.consumer({ groupId });
    await member.connect();
    await member.subscribe({ topic });
    const joined = new Promise((resolve) => member.on(member.events.GROUP_JOIN, resolve));
    await member.run({ autoCommit: false, eachMessage: async () => undefined });
    await joined;
    await member.commitOffsets([{ topic, partition: 1, offset: "0", metadata: former }]);
    await member.disconnect();
    const foreign = [{ partition: 0, offset: "0", metadata: "by hand" }];
    await admin.setOffsets({ groupId, topic, partitions: foreign });
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
    // What is sent to a partition that the broker does not name yet is dropped by kafkajs, without a word.
    await until(async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.length === 3;
    }, "the partition is there");
    await send(2, "added");
    const next = new Stream(services, stream.prefix);
    streams.push(next);
    next.configure({ pipelines: { latest: { ...pipeline, from: "latest" } } });
    await next.start("ingester");
    await expect.poll(committed, { timeout: 30_000 }).toBe("1,0,1");
    const hasBoth = (read: readonly { value: Buffer | null }[]) =>
      ["before", "added"].every((text) => read.some(({ value }) => String(value).includes(text)));
    const messages = await next.read(`${stream.prefix}.lines.latest`, hasBoth, 60_000);
    // The former topic may have had this partition, too: its lines must not pass for repeats.
    const sources = messages.flatMap(({ value }) => {
      const message = decodeLines(value ?? Buffer.alloc(0));
      return message.kind === "chunk" && message.lines.length > 0 ? [message.source] : [];
    });
    expect(sources.find(({ partition }) => partition === 2)?.incarnation).toBe("7");
    await next.stop();
    await admin.disconnect();
  });
});

describe("a raw topic that is made anew", () => {
  it.each(["while the ingester runs", "while no ingester runs"])(
    "is read from its start, %s",
    async (when) => {
      const { stream, pipeline } = streamFor("anew");
      stream.configure({ pipelines: { anew: { ...pipeline, from: "latest" } } });
      const topic = `${stream.prefix}-raw`;
      const admin = stream.kafka.admin();
      await admin.connect();
      const send = async (name: string) => {
        const producer = new Stream(services).kafka.producer();
        await producer.connect();
        const messages = Array.from({ length: 20 }, (_, place) => ({
          partition: 0,
          value: JSON.stringify({ message: `${name} ${place}.` }),
        }));
        await producer.send({ topic, messages });
        await producer.disconnect();
      };
      await stream.createTopic(topic, 1);
      const first = await stream.start("ingester");
      const groupId = `${stream.prefix}.anew.ingester`;
      const committed = () => committedOffsets(stream, groupId, topic);
      await expect.poll(committed, { timeout: 30_000 }).toBe("0");
      await send("former");
      await expect.poll(committed, { timeout: 30_000 }).toBe("20");
      if (when === "while no ingester runs") await stream.end(first);
      await admin.deleteTopics({ topics: [topic] });
      await expect.poll(() => admin.listTopics(), { timeout: 30_000 }).not.toContain(topic);
      await stream.createTopic(topic, 1);
      // Whoever reads meets the empty log first; whoever does not, one as long as the former.
      if (when === "while the ingester runs") await sleep(6_000);
      await send("later");
      if (when === "while no ingester runs") await stream.start("ingester");
      await stream.start("windower");
      const [chunks, windower] = [`${stream.prefix}.lines.anew`, `${stream.prefix}.windows.anew`];
      const texts = (read: readonly { value: Buffer | null }[]) =>
        read.map(({ value }) => String(value)).join();
      await stream.read(chunks, (read) => texts(read).includes("later 19."), 120_000);
      await stream.command(["flush", "--pipeline", "anew"]);
      // The windower, too, takes no line of the later topic for one of the former.
      const windows = texts(
        await stream.read(windower, (read) => texts(read).includes("later 19."), 120_000),
      );
      for (const name of ["former", "later"])
        for (let place = 0; place < 20; place++) expect(windows).toContain(`${name} ${place}.`);
      expect(stream.logs()).toContain("A raw topic was made anew");
      await stream.stop();
      await admin.disconnect();
    },
  );
});

describe("a broker that is away", () => {
  it("is waited for by name, and holds up no stop of what has committed all", async () => {
    const own = await startServices();
    const stream = new Stream(own);
    streams.push(stream);
    try {
      stream.configure({
        pipelines: { away: { ...streamFor("away").pipeline, topics: ["raw"], idleAfter: "1s" } },
      });
      await stream.createTopic("raw", 1);
      await stream.start("ingester");
      const group = `${stream.prefix}.away.ingester`;
      await until(
        async () => (await committedOffsets(stream, group, "raw")) === "0",
        "the beginning is committed",
      );
      const port = /"port":(\d+),"msg":"LogGuardian runs\."/.exec(stream.logs())?.[1];
      own.kafka.kill();
      const health = async () =>
        (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as { waits: string[] };
      await until(async () => (await health()).waits.includes("broker-away"), "the wait has its name");
      stream.assertAlive();
      const before = Date.now();
      await stream.stop();
      expect(Date.now() - before).toBeLessThan(25_000);
    } finally {
      stream.abandon();
      await own.stop();
    }
  });
});

describe("bad input", () => {
  const minimal = (of: Record<string, unknown>) => {
    const { stream, pipeline } = streamFor("bad");
    stream.configure({ pipelines: { bad: pipeline }, ...of });
    return stream.configFile;
  };

  it.each([
    [
      "no broker",
      { kafka: { brokers: ["127.0.0.1:1"] } },
      /^Kafka at 127\.0\.0\.1:1 does not answer: .*kafka\.brokers .*\(LG_KAFKA_AWAY\)$/,
    ],
    [
      "a broker that wants credentials",
      { kafka: { ...secured.kafka, sasl: { ...secured.kafka.sasl, password: "wrong" } } },
      /^Kafka at .* refuses the connection: .*\(LG_KAFKA_AUTH\)$/,
    ],
    [
      "an unknown certificate",
      { kafka: { ...secured.kafka, tls: {}, sasl: { ...secured.kafka.sasl, password: "wrong" } } },
      /^Kafka at .* refuses the connection: .*certificate.*\(LG_KAFKA_AUTH\)$/,
    ],
    [
      "a missing certificate",
      {
        kafka: { ...secured.kafka, tls: { ca: "/nope.pem" }, sasl: { ...secured.kafka.sasl, password: "x" } },
      },
      /^kafka\.tls\.ca, \/nope\.pem, cannot be read: .*\(LG_CONFIG_PEM\)$/,
    ],
    [
      "a raw topic that does not exist",
      {},
      /^The topic test-bad-\d+-raw does not exist\. .*\(LG_TOPIC_MISSING\)$/,
    ],
    [
      "a taken port",
      { http: { port: Number(new URL(services.alertmanager.url).port) } },
      /^127\.0\.0\.1:\d+ cannot be listened on: .*\(LG_HTTP_PORT\)$/,
    ],
  ])("%s is one sentence and exit code 1", (_, of, sentence) => {
    const { status, stderr } = failingStart(minimal(of));
    const said = stderr.split("\n").filter((line) => !line.startsWith("{"));
    expect(said).toEqual([expect.stringMatching(sentence)]);
    expect(status).toBe(1);
  });

  it("no Redis, or one that refuses, is one sentence and exit code 1", async () => {
    const { stream, pipeline } = streamFor("bad");
    await stream.createTopic(`${stream.prefix}-raw`, 1);
    const attempts: [Record<string, unknown>, RegExp][] = [
      [
        { url: "redis://127.0.0.1:1" },
        /^Redis at redis:\/\/127\.0\.0\.1:1 does not answer: .*\(LG_REDIS_AWAY\)$/,
      ],
      [
        { ...secured.redis, password: "wrong" },
        /^Redis at rediss:.* refuses the connection: WRONGPASS.*\(LG_REDIS_AUTH\)$/,
      ],
    ];
    for (const [redis, sentence] of attempts) {
      stream.configure({ pipelines: { bad: pipeline }, redis });
      const { status, stderr } = failingStart(stream.configFile);
      const said = stderr.split("\n").filter((line) => !line.startsWith("{"));
      expect(said).toEqual([expect.stringMatching(sentence)]);
      expect(status).toBe(1);
    }
  });

  it("another number of partitions than the lines topic has is refused", async () => {
    const { stream, pipeline } = streamFor("partitions");
    await stream.createTopic(`${stream.prefix}-raw`, 1);
    await stream.createTopic(`${stream.prefix}.lines.p`, 3);
    stream.configure({ pipelines: { p: pipeline } });
    const { status, stderr } = failingStart(stream.configFile);
    expect(stderr).toMatch(/has 3 partitions; the configuration says 2\..*\(LG_TOPIC_PARTITIONS\)$/);
    expect(status).toBe(1);
  });
});
