import avsc from "avsc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFormat, type RecordFormat } from "../../src/ingest/formats/index.ts";
import { createSchemaRegistry } from "../../src/ingest/schema-registry.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { type FileServer, startFileServer } from "../support/file-server.ts";
import { rawRecord } from "../support/raw-record.ts";

const everything = {
  type: "record",
  name: "Everything",
  fields: [
    { name: "message", type: "string" },
    { name: "nothing", type: { type: "array", items: "null" } },
    { name: "numbers", type: { type: "array", items: "int" } },
    { name: "names", type: { type: "map", values: ["null", "string"] } },
    { name: "next", type: ["null", "Everything"] },
    { name: "flag", type: "boolean" },
    { name: "ratio", type: "double" },
    { name: "share", type: "float" },
    { name: "raw", type: "bytes" },
    { name: "four", type: { type: "fixed", name: "Four", size: 4 } },
    { name: "kind", type: { type: "enum", name: "Kind", symbols: ["A", "B"] } },
  ],
};
const empty = {
  nothing: [],
  numbers: [],
  names: {},
  next: null,
  flag: true,
  ratio: 0.5,
  share: 0.5,
  raw: Buffer.alloc(3),
  four: Buffer.alloc(4),
  kind: "A",
};
const type = avsc.Type.forSchema(everything as avsc.Schema);
let server: FileServer;
let avro: RecordFormat;

beforeAll(async () => {
  server = await startFileServer();
  server.files.set("/schemas/ids/1", { content: answerOf(everything) });
  server.files.set("/subjects?limit=1", { content: Buffer.from("[]") });
  const registry = createSchemaRegistry(
    { url: server.url },
    { logger: silentLogger, health: createHealth() },
  );
  avro = createFormat("avro", { registry });
});
afterAll(() => server.close());

function answerOf(schema: object): Buffer {
  return Buffer.from(JSON.stringify({ schema: JSON.stringify(schema) }));
}

async function decode(body: Buffer, schema = 1) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(schema, 1);
  const record = rawRecord(Buffer.concat([head, body]));
  await avro.prepare?.([record]);
  return avro.decode(record);
}

describe("an avro record", () => {
  it("of every kind of value is read", async () => {
    const more = {
      nothing: [null, null],
      numbers: [1, -70_000],
      names: { a: "b", c: null },
      kind: "B",
    };
    const sent = { ...empty, ...more, message: "up", next: { ...empty, ...more, message: "next" } };
    expect(await decode(type.toBuffer(sent))).toEqual([{ text: "up", origin: {} }]);
  });

  const message = Buffer.from("0278", "hex");
  const billion = Buffer.from("80a8d6b907", "hex");
  it.each([
    ["a billion nulls", Buffer.concat([message, billion])],
    ["a billion numbers", Buffer.concat([message, Buffer.from([0]), billion])],
    ["a billion names", Buffer.concat([message, Buffer.from([0, 0]), billion])],
    ["a text longer than the record", billion],
    ["a text of less than nothing", Buffer.from([1])],
    ["a branch that its union does not have", Buffer.concat([message, Buffer.from([0, 0, 0, 8])])],
    ["a chain too deep", Buffer.concat(Array(20_000).fill(Buffer.from("027800000002", "hex")))],
    ["a number without end", Buffer.alloc(1_000, 0xff)],
  ])("that promises %s is a dead letter", async (_, body) => {
    await expect(decode(body)).rejects.toMatchObject({ code: "LG_RECORD_AVRO" });
  });

  it("whose schema alone multiplies is one, too", async () => {
    // Each level holds the next one twice, and the last one nothing: no byte, and two to the fortieth values.
    let schema: object = { type: "record", name: "R0", fields: [] };
    for (let level = 1; level <= 40; level++)
      schema = {
        type: "record",
        name: `R${level}`,
        fields: [
          { name: "a", type: schema },
          { name: "b", type: `R${level - 1}` },
        ],
      };
    server.files.set("/schemas/ids/2", { content: answerOf(schema) });
    await expect(decode(Buffer.alloc(1), 2)).rejects.toMatchObject({ code: "LG_RECORD_AVRO" });
  });
});

describe("a schema that the registry", () => {
  it("fails to give, while it answers otherwise, stops nobody", async () => {
    server.files.set("/schemas/ids/3", { status: 500 });
    await expect(decode(Buffer.from([0]), 3)).rejects.toMatchObject({
      code: "LG_RECORD_SCHEMA",
      message:
        "The Avro schema 3 cannot be used: the registry fails to give it, and answers otherwise: it answers 500.",
    });
  });

  it("sends without end is none", async () => {
    server.files.set("/schemas/ids/4", { content: Buffer.alloc(64 * 1024, 0x20), endless: true });
    await expect(decode(Buffer.from([0]), 4)).rejects.toMatchObject({
      message: "The Avro schema 4 cannot be used: the answer has more than 4 MB.",
    });
  });

  it("cannot give because it is away is waited for", async () => {
    server.files.set("/schemas/ids/5", { status: 503 });
    server.files.set("/subjects?limit=1", { status: 503 });
    const waiting = decode(type.toBuffer({ ...empty, message: "late" }), 5);
    const asked = () => server.requests.filter(({ path }) => path === "/subjects?limit=1").length;
    const before = asked();
    while (asked() < before + 2) await new Promise((resolve) => setTimeout(resolve, 50));
    server.files.set("/schemas/ids/5", { content: answerOf(everything) });
    expect(await waiting).toEqual([{ text: "late", origin: {} }]);
  });
});
