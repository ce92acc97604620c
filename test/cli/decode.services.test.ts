import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import avsc from "avsc";
import kafkajs from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCapturedRecords } from "../../src/ingest/captured-records.ts";
import type { FormatName } from "../../src/ingest/formats/index.ts";
import type { RawRecord } from "../../src/ingest/line.ts";
import { connectKafka, type KafkaClient } from "../../src/kafka/client.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { jsonRows, runCli } from "../support/cli.ts";
import { createTopic } from "../support/create-topic.ts";
import { dataFile } from "../support/data.ts";
import { type FileServer, startFileServer } from "../support/file-server.ts";
import { services } from "../support/services.ts";

const brokers = [services.kafka.broker];
const environment = { LOGGUARDIAN_KAFKA_BROKERS: services.kafka.broker };
let client: KafkaClient;
beforeAll(async () => {
  client = await connectKafka({ brokers, clientId: "test" }, { logger: silentLogger });
});
afterAll(() => client.close());

type Sent = Pick<RawRecord, "value"> & Partial<RawRecord>;

/** A new topic with these records, sent with this compression. */
async function topicOf(
  records: readonly Sent[],
  compression = kafkajs.CompressionTypes.None,
): Promise<string> {
  const topic = `decode-${randomUUID()}`;
  await createTopic(client.admin, topic, 3);
  const producer = client.kafka.producer();
  await producer.connect();
  const messages = records.map(({ key = null, value, timestamp, partition = 0 }) => ({
    key,
    value,
    partition,
    ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }),
  }));
  // One by one: kafkajs would send all of them again where only one of the new partitions is not ready.
  for (const own of Map.groupBy(messages, ({ partition }) => partition).values())
    await producer.send({ topic, compression, messages: own });
  await producer.disconnect();
  return topic;
}

const formatOf: Record<string, FormatName> = {
  "filebeat-7.17.28-keyed.jsonl": "filebeat",
  "filebeat-7.17.28.jsonl": "filebeat",
  "filebeat-codecformat-lz4.jsonl": "text",
  "filebeat-codecformat-snappy.jsonl": "text",
  "kcat-default.jsonl": "text",
  "otel-json.jsonl": "otlp-json",
  "otel-proto.jsonl": "otlp-proto",
  "otel-raw.jsonl": "json-string",
  "rsyslog-default-udp.jsonl": "syslog",
  "rsyslog-default.jsonl": "syslog",
  "rsyslog-json.jsonl": "json",
  "syslogng.jsonl": "syslog",
};
const { GZIP, Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes;

describe("decode", () => {
  it("knows every captured file", () => {
    const files = readdirSync(dataFile("records")).filter((name) => name.endsWith(".jsonl"));
    expect(Object.keys(formatOf).sort()).toEqual(files.sort());
  });

  it.each(Object.entries(formatOf))("reads %s from a topic as from the file: %s", async (file, format) => {
    const path = dataFile(`records/${file}`);
    const records = await readCapturedRecords(path);
    const codecs = [GZIP, Snappy, LZ4, ZSTD];
    const topic = await topicOf(records, codecs[Object.keys(formatOf).indexOf(file) % codecs.length]);
    const ways = [
      ["--topic", topic, "--limit", "1000"],
      ["--records", path],
    ];
    const [fromTopic, fromFile] = await Promise.all(
      ways.map((way) => runCli(["decode", ...way, "--format", format, "--json"], "", environment)),
    );
    expect([fromTopic?.status, fromTopic?.stderr]).toEqual([0, fromFile?.stderr]);
    const seen = (finished: typeof fromTopic) =>
      (finished === undefined ? [] : jsonRows(finished))
        .map(({ text, time, origin, index }) => JSON.stringify({ text, time, origin, index }))
        .sort();
    expect(seen(fromTopic).length).toBeGreaterThanOrEqual(20);
    expect(seen(fromTopic)).toEqual(seen(fromFile));
  });

  it("shows the newest records, commits nothing and leaves no group behind", async () => {
    const values = Array.from({ length: 50 }, (_, place) => ({
      value: Buffer.from(`line ${place}`),
      timestamp: Date.now() - 1000 + place,
      partition: place % 3,
    }));
    const topic = await topicOf(values);
    const finished = await runCli(["decode", "--topic", topic, "--json"], "", environment);
    expect(jsonRows(finished).map(({ text }) => text)).toEqual(
      values.slice(-10).map(({ value }) => String(value)),
    );
    // Other tests call it, too, each for seconds; a group that is left behind stays for minutes.
    const left = async () =>
      (await client.admin.listGroups()).groups.filter(({ groupId }) =>
        groupId.startsWith("logguardian-decode"),
      );
    await expect.poll(left, { timeout: 60_000 }).toEqual([]);
  });

  it("says which record would go to the dead letters, and ends with 1", async () => {
    const topic = await topicOf([{ value: Buffer.from('{"message":"up"}') }, { value: Buffer.from("{}") }]);
    const { status, stdout, stderr } = await runCli(["decode", "--topic", topic], "", environment);
    expect(status).toBe(1);
    expect(stdout).toContain(`${topic} partition 0 offset 0  json, JSON\n  up\n`);
    expect(stdout).toMatch(
      /dead letter {2}LG_RECORD_NO_LINE {2}A json record holds no line under message, .*`fields/,
    );
    expect(stderr).toBe("2 records, 1 line, 1 for the dead letters\n");
  });

  it("reads a topic as the pipeline's entry of it says", async () => {
    const value = Buffer.from("2026-11-22T08:57:51.643Z n1 su[77]: up");
    const [own, other] = [await topicOf([{ value }]), await topicOf([{ value }])];
    const config = join(tmpdir(), `${randomUUID()}.yaml`);
    const topics = [{ name: own, format: "syslog" }, other];
    const app = { topics, format: "text", window: { kind: "session" } };
    writeFileSync(config, JSON.stringify({ kafka: { brokers }, pipelines: { app } }));
    const options = ["--config", config, "--pipeline", "app", "--json"];
    const textOf = async (topic: string) =>
      jsonRows(await runCli(["decode", "--topic", topic, ...options])).map(({ text }) => text);
    expect([await textOf(own), await textOf(other)]).toEqual([["up"], [String(value)]]);
  });

  it("says so where a text begins as syslog does", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "decode-")), "records.jsonl");
    const value = "<34>Oct 11 22:14:15 mymachine su: 'su root' failed";
    writeFileSync(file, JSON.stringify({ topic: "t", partition: 0, offset: "0", value, timestamp: "1" }));
    expect((await runCli(["decode", "--records", file])).stdout).toContain("`format: syslog`");
    const taken = await runCli(["decode", "--records", file, "--format", "syslog"]);
    expect(taken.stdout).not.toContain("`format: syslog`");
  });

  it("explains what is wrong with its options, the topic and the file", async () => {
    const both = await runCli(["decode", "--topic", "a", "--records", "b"], "", environment);
    expect([both.status, both.stderr]).toEqual([2, expect.stringContaining("either --topic NAME or")]);
    const missing = await runCli(["decode", "--topic", "no-such-topic"], "", environment);
    expect([missing.status, missing.stderr]).toEqual([
      1,
      expect.stringContaining("The topic no-such-topic does not exist."),
    ]);
    const file = join(tmpdir(), `${randomUUID()}.jsonl`);
    writeFileSync(file, '{"value": "a"}\n{"value": 7}\n');
    const wrong = await runCli(["decode", "--records", file]);
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining("line 2 is no record")]);
  });
});

// A registry of Confluent's does not come from the package registries here: this one answers as its API is documented.
describe("avro with a schema registry", () => {
  const event = avsc.Type.forSchema({
    type: "record",
    name: "Event",
    fields: [
      { name: "message", type: ["null", "string"] },
      { name: "timestamp", type: "long" },
      { name: "host", type: "string" },
    ],
  });
  const nanoseconds = 1_795_337_871_643_000_000;
  const body = { message: "up", timestamp: 1_795_337_871_643, host: "n1" };
  const guid = "12345678-9abc-def0-1234-56789abcdef0";
  let registry: FileServer;
  let config: string;
  const framed = (id: number, content: Buffer) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(id, 1);
    return Buffer.concat([head, content]);
  };

  beforeAll(async () => {
    registry = await startFileServer();
    const answer = (path: string, content: object) =>
      registry.files.set(path, { content: Buffer.from(JSON.stringify(content)) });
    answer("/schemas/ids/7", { schema: JSON.stringify(event.schema()) });
    answer(`/schemas/guids/${guid}`, { schema: JSON.stringify(event.schema()) });
    answer("/schemas/ids/8", { schema: '{"type":"object"}', schemaType: "JSON" });
    const outer = {
      type: "record",
      name: "Outer",
      fields: [
        { name: "event", type: "Event" },
        { name: "msg", type: "string" },
      ],
    };
    answer("/schemas/ids/9", {
      schema: JSON.stringify(outer),
      references: [{ name: "Event", subject: "event/value", version: 1 }],
    });
    answer("/subjects/event%2Fvalue/versions/1", { schema: JSON.stringify(event.schema()) });
    config = join(tmpdir(), `${randomUUID()}.yaml`);
    writeFileSync(
      config,
      JSON.stringify({
        kafka: { brokers },
        schemaRegistry: { url: registry.url, username: "reader", password: "secret" },
        pipelines: { app: { topics: ["app"], format: "avro", window: { kind: "session" } } },
      }),
    );
  });
  afterAll(() => registry.close());

  it("fetches each schema once, with credentials, and reads both framings and references", async () => {
    const avro = (content: object) => event.toBuffer(content);
    const outer = avsc.Type.forSchema({
      type: "record",
      name: "Outer",
      fields: [
        { name: "event", type: event },
        { name: "msg", type: "string" },
      ],
    });
    const topic = await topicOf([
      ...Array.from({ length: 5 }, () => ({ value: framed(7, avro({ ...body, message: "up" })) })),
      { value: framed(7, longBody(nanoseconds)) },
      { value: Buffer.concat([Buffer.from([1]), Buffer.from(guid.replaceAll("-", ""), "hex"), avro(body)]) },
      { value: framed(9, outer.toBuffer({ event: body, msg: "outer" })) },
      { value: framed(404, avro(body)) },
      { value: framed(8, avro(body)) },
      { value: framed(7, Buffer.from([0xff])) },
      { value: Buffer.from("no avro") },
    ]);
    const args = [
      "decode",
      "--topic",
      topic,
      "--limit",
      "100",
      "--config",
      config,
      "--pipeline",
      "app",
      "--json",
    ];
    const rows = jsonRows(await runCli(args));
    const line = { text: "up", time: "2026-11-22T08:57:51.643Z", origin: { host: "n1" }, format: "avro" };
    for (const row of rows.slice(0, 7)) expect(row).toMatchObject(line);
    expect(rows[7]).toMatchObject({ text: "outer" });
    expect(rows.slice(8).map(({ error }) => [error.code, error.message])).toEqual([
      ["LG_RECORD_SCHEMA", "The Avro schema 404 cannot be used: the registry does not give it."],
      ["LG_RECORD_SCHEMA", "The Avro schema 8 cannot be used: it is JSON, not Avro."],
      ["LG_RECORD_AVRO", expect.stringContaining("does not follow its schema 7")],
      ["LG_RECORD_AVRO", "An avro record does not begin with the id of a schema."],
    ]);
    const asked = registry.requests.map(({ path }) => path);
    expect(asked.filter((path) => path === "/schemas/ids/7").length).toBe(1);
    expect(registry.requests[0]?.authorization).toBe(
      `Basic ${Buffer.from("reader:secret").toString("base64")}`,
    );
  });

  it("is told apart by auto", async () => {
    const topic = await topicOf([
      { value: framed(7, event.toBuffer(body)) },
      { value: Buffer.from("a line") },
    ]);
    const rows = jsonRows(await runCli(["decode", "--topic", topic, "--config", config, "--json"]));
    expect(rows.map(({ format, text }) => [format, text])).toEqual([
      ["avro", "up"],
      ["text", "a line"],
    ]);
  });

  it("says so where the registry refuses, and where none is configured", async () => {
    registry.files.set("/schemas/ids/10", { status: 401 });
    const topic = await topicOf([{ value: framed(10, event.toBuffer(body)) }]);
    const refused = await runCli(["decode", "--topic", topic, "--config", config, "--format", "avro"]);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("answers 401")]);
    const none = await runCli(["decode", "--topic", topic, "--format", "avro"], "", environment);
    expect([none.status, none.stderr]).toEqual([1, expect.stringContaining("Set schemaRegistry.url")]);
  });

  /** A record whose long no number holds exactly: avsc itself would not write it. */
  function longBody(long: number): Buffer {
    const zigzag: number[] = [];
    for (let rest = BigInt(long) * 2n; ; rest >>= 7n) {
      if (rest < 0x80n) {
        zigzag.push(Number(rest));
        break;
      }
      zigzag.push(Number(rest & 0x7fn) | 0x80);
    }
    return Buffer.concat([
      Buffer.from([2, 4]),
      Buffer.from("up"),
      Buffer.from(zigzag),
      Buffer.from([4]),
      Buffer.from("n1"),
    ]);
  }
});
