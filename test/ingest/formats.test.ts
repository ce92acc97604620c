import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { encode } from "@msgpack/msgpack";
import avsc from "avsc";
import protobuf from "protobufjs/minimal.js";
import { describe, expect, it } from "vitest";
import { readCapturedRecords } from "../../src/ingest/captured-records.ts";
import { maxLines } from "../../src/ingest/formats/format.ts";
import { type Choice, createFormat, type FormatName } from "../../src/ingest/formats/index.ts";
import { createKeys, partitionOf } from "../../src/ingest/keys.ts";
import { createLayout, layouts } from "../../src/ingest/layouts.ts";
import type { Origin, RawRecord } from "../../src/ingest/line.ts";
import { dataFile } from "../support/data.ts";
import { rawRecord } from "../support/raw-record.ts";

const recordedAt = Date.UTC(2026, 10, 22, 9);

const record = (value: string | Uint8Array | null) => rawRecord(value, recordedAt);
const decode = (format: FormatName, value: string | Uint8Array | null) =>
  createFormat(format).decode(record(value));
const auto = createFormat("auto");
function chosen(record: RawRecord): Choice | undefined {
  let found: Choice | undefined;
  auto.decode(record, (choice) => {
    found = choice;
  });
  return found;
}

/** Lines of LogHub's OpenSSH and Linux samples, which all captures carry. */
const isSample = /^(?:Dec 10|Jun (?:14|15)) \d\d:\d\d:\d\d (?:LabSZ|combo) \S+: \S/;

describe("every captured record", () => {
  const captured = async (file: string, format: FormatName) => {
    const records = await readCapturedRecords(dataFile(`records/${file}`));
    const reader = createFormat(format);
    return records.map((one) => ({
      one,
      lines: reader.decode(one),
      auto: format === "otlp-proto" ? "never guessed" : chosen(one)?.name,
      autoLines: format === "otlp-proto" ? [] : auto.decode(one),
    }));
  };

  it.each(["filebeat-7.17.28.jsonl", "filebeat-7.17.28-keyed.jsonl"])("of %s", async (file) => {
    const all = await captured(file, "filebeat");
    expect(all.length).toBe(40);
    for (const { one, lines, auto, autoLines } of all) {
      const sent = JSON.parse(String(one.value));
      expect(lines).toEqual([
        {
          text: sent.message.replace(/\r$/, ""),
          time: Date.parse(sent["@timestamp"]),
          origin: { host: "vm", file: sent.log.file.path },
          fileOffset: sent.log.offset,
        },
      ]);
      expect(lines[0]?.time).toBe(one.timestamp);
      expect([auto, autoLines]).toEqual(["filebeat", lines]);
    }
  });

  it.each(["filebeat-codecformat-lz4.jsonl", "filebeat-codecformat-snappy.jsonl", "kcat-default.jsonl"])(
    "of %s",
    async (file) => {
      const all = await captured(file, "text");
      expect(all.length).toBe(20);
      for (const { one, lines, auto, autoLines } of all) {
        expect(lines).toEqual([{ text: String(one.value).replace(/\r$/, ""), origin: {} }]);
        expect([auto, autoLines]).toEqual(["text", lines]);
      }
    },
  );

  it("of otel-json and otel-proto, which carry the same sixty lines", async () => {
    const [json] = await captured("otel-json.jsonl", "otlp-json");
    const [proto] = await captured("otel-proto.jsonl", "otlp-proto");
    expect(json?.lines.length).toBe(60);
    expect(json?.auto).toBe("otlp-json");
    for (const lines of [json?.lines ?? [], proto?.lines ?? []])
      for (const { text, time, origin } of lines) {
        expect(text).toMatch(isSample);
        expect(time).toBeGreaterThan(recordedAt - 3_600_000);
        expect(time).toBeLessThan(recordedAt + 3_600_000);
        expect(Object.keys(origin)).toEqual(["file"]);
      }
    const what = (lines: { text: string; origin: object }[] = []) =>
      lines.map(({ text, origin }) => ({ text, origin })).sort((a, b) => (a.text < b.text ? -1 : 1));
    expect(what(proto?.lines)).toEqual(what(json?.lines));
    // Tail reads files in any order, but its lines carry their own times to the nanosecond.
    expect(json?.lines[0]?.time).toBe(1795338364271);
  });

  it("of otel-raw", async () => {
    const all = await captured("otel-raw.jsonl", "json-string");
    expect(all.length).toBe(20);
    for (const { one, lines, auto, autoLines } of all) {
      expect(lines).toEqual([{ text: JSON.parse(String(one.value)), origin: {} }]);
      expect([auto, autoLines]).toEqual(["json-string", lines]);
    }
  });

  it("of rsyslog-default: what stands after the host, for a tag without a colon may be a word", async () => {
    const all = await captured("rsyslog-default.jsonl", "syslog");
    expect(all.length).toBe(20);
    for (const { one, lines, auto } of all) {
      const [time = ""] = String(one.value).split(" ");
      expect(lines).toEqual([
        {
          text: String(one.value).trimEnd().slice(`${time} vm `.length) + trailingBlank(one),
          time: Date.parse(time),
          origin: { host: "vm" },
        },
      ]);
      expect(lines[0]?.text).toMatch(/^sshd Dec 10 /);
      expect(auto).toBe("text");
    }
  });

  it.each(["rsyslog-default-udp.jsonl", "syslogng.jsonl"])("of %s", async (file) => {
    const all = await captured(file, "syslog");
    expect(all.length).toBe(20);
    for (const { one, lines } of all) {
      const found = /^(\S+) (\S+) (?:sshd|su|logrotate)\S* ?:? (.*?)\n?$/.exec(
        String(one.value),
      ) as RegExpExecArray;
      const [, time = "", host, text = ""] = found;
      expect(text).toMatch(/^[A-Za-z_]/);
      expect(lines).toEqual([{ text, time: Date.parse(time), origin: { host } }]);
    }
  });

  it("of rsyslog-json", async () => {
    const all = await captured("rsyslog-json.jsonl", "json");
    expect(all.length).toBe(20);
    for (const { one, lines, auto, autoLines } of all) {
      const sent = JSON.parse(String(one.value));
      expect(lines).toEqual([
        { text: sent.message, time: Date.parse(sent["@timestamp"]), origin: { host: "vm" } },
      ]);
      expect([auto, autoLines]).toEqual(["json", lines]);
    }
  });
});

function trailingBlank({ value }: RawRecord): string {
  return String(value).endsWith(" \n") ? " " : "";
}

// No captures of these are at hand: the records follow the programs' documentation.
describe("records built from documentation", () => {
  const at = Date.UTC(2026, 10, 22, 8, 57, 51, 643);

  it("fluent-bit: tail, and systemd", () => {
    const tail = '{"@timestamp":1795338364.5,"log":"hello\\n","path":"/var/log/a.log","host":"n1"}';
    expect(decode("fluent-bit", tail)).toEqual([
      { text: "hello", time: 1795338364500, origin: { host: "n1", file: "/var/log/a.log" } },
    ]);
    expect(chosen(record(tail))?.name).toBe("fluent-bit");
    const systemd =
      '{"@timestamp":"2026-11-22T08:57:51.643Z","MESSAGE":"up","_HOSTNAME":"n2","_SYSTEMD_UNIT":"a.service"}';
    expect(decode("fluent-bit", systemd)).toEqual([
      { text: "up", time: at, origin: { host: "n2", file: "a.service" } },
    ]);
  });

  it("vector: a file, and Kubernetes", () => {
    const file =
      '{"file":"/var/log/a.log","host":"n1","message":"up","source_type":"file","timestamp":"2026-11-22T08:57:51.643938271Z"}';
    expect(decode("vector", file)).toEqual([
      { text: "up", time: at, origin: { host: "n1", file: "/var/log/a.log" } },
    ]);
    expect(chosen(record(file))?.name).toBe("vector");
    const pod =
      '{"kubernetes":{"pod_name":"web-1","pod_node_name":"n2","container_name":"web"},"message":"up","source_type":"kubernetes_logs"}';
    expect(decode("vector", pod)).toEqual([
      { text: "up", origin: { host: "n2", pod: "web-1", container: "web" } },
    ]);
  });

  it("gelf", () => {
    const sent =
      '{"version":"1.1","host":"n1","short_message":"up","full_message":"up\\nat x","timestamp":1795337871.643,"_file":"a.log","level":6}';
    expect(decode("gelf", sent)).toEqual([{ text: "up", time: at, origin: { host: "n1", file: "a.log" } }]);
    expect(chosen(record(sent))?.name).toBe("gelf");
  });

  it("msgpack: Fluent Bit's map, and Fluentd's pair with its event time", () => {
    const map = encode({ "@timestamp": 1795337871.643, log: "hello\n", host: "n1" });
    const line = { text: "hello", time: at, origin: { host: "n1" } };
    expect(decode("msgpack", map)).toEqual([line]);
    expect(chosen(record(map))?.name).toBe("msgpack");
    expect(auto.decode(record(map))).toEqual([line]);
    expect(decode("msgpack", encode({ log: Buffer.from("hello") }))[0]?.text).toBe("hello");
    // Newer versions have metadata beside an event's time.
    const event = [[1_700_000_000.5, { trace: "x" }], { log: "hello", logtag: "P", stream: "stdout" }];
    expect(decode("msgpack", encode(event))).toEqual([
      { text: "hello", time: 1_700_000_000_500, origin: {}, piece: { stream: "stdout", isLast: false } },
    ]);
    const eventTime = Buffer.alloc(10);
    eventTime.set([0xd7, 0x00]);
    eventTime.writeUInt32BE(1795337871, 2);
    eventTime.writeUInt32BE(643_938_271, 6);
    const pair = Buffer.concat([Buffer.from([0x92]), eventTime, encode({ message: "hello", host: "n1" })]);
    expect(decode("msgpack", pair)).toEqual([line]);
  });

  it("json: journald, syslog-ng, Logstash, ECS with dotted keys, and arrays", () => {
    expect(
      decode("json", '{"MESSAGE":"up","HOST":"n1","PROGRAM":"a","ISODATE":"2026-11-22T08:57:51.643+00:00"}'),
    ).toEqual([{ text: "up", time: at, origin: { host: "n1" } }]);
    const ecs =
      '{"@timestamp":"2026-11-22T08:57:51.643Z","host.name":"n1","log.file.path":"/a","message":"up"}';
    expect(decode("json", ecs)).toEqual([{ text: "up", time: at, origin: { host: "n1", file: "/a" } }]);
    expect(decode("json", '[{"log":"a"},{"msg":"b"}]').map(({ text }) => text)).toEqual(["a", "b"]);
    // A text is a line rather than an object under a better name.
    expect(decode("json", '{"message":{"a":1},"event":{"original":"x"}}')[0]?.text).toBe("x");
    expect(decode("json", '{"message":{"a":1}}')[0]?.text).toBe('{"a":1}');
  });

  it("json: fields that the pipeline names", () => {
    const format = createFormat("json", { fields: { line: ["event.text"], host: ["node"] } });
    expect(format.decode(record('{"event":{"text":"up"},"message":"no","node":"n1","host":"n2"}'))).toEqual([
      { text: "up", origin: { host: "n1" } },
    ]);
  });

  it("otlp-json: times, bodies, and where it was written", () => {
    const log = (more: object) => ({
      resourceLogs: [
        {
          resource: {
            attributes: [
              { key: "host.name", value: { stringValue: "n1" } },
              { key: "k8s.pod.name", value: { stringValue: "web-1" } },
            ],
          },
          scopeLogs: [{ logRecords: [{ timeUnixNano: "1795337871643938271", ...more }] }],
        },
      ],
    });
    const text = (more: object) => decode("otlp-json", JSON.stringify(log(more)))[0];
    expect(text({ body: { stringValue: "up" } })).toEqual({
      text: "up",
      time: at,
      origin: { host: "n1", pod: "web-1" },
    });
    const journald = { values: [{ key: "MESSAGE", value: { stringValue: "up" } }] };
    expect(text({ body: { kvlistValue: journald } })?.text).toBe("up");
    const list = { values: [{ intValue: "1" }, { boolValue: true }, { kvlistValue: { values: [] } }] };
    expect(text({ body: { arrayValue: list } })?.text).toBe("[1,true,{}]");
    // An event has a name and attributes, and need not have a body.
    const attributes = [{ key: "event.name", value: { stringValue: "up" } }];
    expect(text({ attributes })?.text).toBe('{"event.name":"up"}');
  });

  it.each([
    ["<34>1 2026-11-22T08:57:51.643Z n1 su 77 ID47 - \uFEFFup", "up"],
    ['<34>1 2026-11-22T08:57:51.643Z n1 su - - [a@1 b="\\]"][c@1] up', "up"],
    ["<34>Nov 22 08:57:51.643 n1 su[77]: up", "up"],
    ["Nov 22 08:57:51.643 n1 su: up", "up"],
    ["2026-11-22T09:57:51.643+01:00 n1 su[77] : up", "up"],
    ["2026-11-22T08:57:51.643Z n1 last message repeated 2 times", "last message repeated 2 times"],
    ['<34>1 2026-11-22T08:57:51.643Z n1 su - - [a@1 b="\\]"][c@1]', '[a@1 b="\\]"][c@1]'],
    ['<34>1 2026-11-22T08:57:51.643Z n1 su - - [a@1 b="c"] ', '[a@1 b="c"]'],
    ["<34>1 2026-11-22T08:57:51.643Z n1 su - - -", "<34>1 2026-11-22T08:57:51.643Z n1 su - - -"],
    ["2026-11-22T08:57:51.643Z n1 su[77]:", "2026-11-22T08:57:51.643Z n1 su[77]:"],
  ])("syslog: %s", (sent, text) => {
    expect(decode("syslog", sent)).toEqual([{ text, time: at, origin: { host: "n1" } }]);
  });

  it("whatever a body and its names are, the record's other lines are kept", () => {
    const odd = {
      body: { kvlistValue: { values: [{ key: "message", value: {} }] } },
      timeUnixNano: { toString: 1 },
    };
    const good = { body: { stringValue: "up" } };
    const sent = { version: { toString: 1 }, resourceLogs: [{ scopeLogs: [{ logRecords: [odd, good] }] }] };
    expect(auto.decode(record(JSON.stringify(sent))).map(({ text }) => text)).toEqual(["{}", "up"]);
  });

  it("syslog: a date without a year takes the nearest one, and what is no syslog is a line", () => {
    expect(decode("syslog", "Jan  1 00:00:00 n1 su: up")[0]?.time).toBe(Date.UTC(2027, 0, 1));
    expect(decode("syslog", "Dec 10 06:55:46 n1 su: up")[0]?.time).toBe(Date.UTC(2026, 11, 10, 6, 55, 46));
    expect(decode("syslog", "Foo 99 is no date")).toEqual([{ text: "Foo 99 is no date", origin: {} }]);
    expect(decode("syslog", "Nov 22 08:57:51 su[77]: up")[0]).toMatchObject({ text: "up", origin: {} });
  });
});

describe("text", () => {
  it("reads UTF-8, and latin-1 where it is not UTF-8; trims one line end", () => {
    expect(decode("text", "é\r\n")[0]?.text).toBe("é");
    expect(decode("text", Buffer.from([0xe9]))[0]?.text).toBe("é");
  });

  it("cuts what is longer than a line may be, and marks it", () => {
    const [line] = decode("json-string", JSON.stringify("x".repeat(10_000)));
    expect(line?.text).toBe(`${"x".repeat(8192)} …[cut]`);
    expect(decode("text", `${"x".repeat(8192)}\r\n`)[0]?.text).toBe("x".repeat(8192));
  });

  it.each(["text", "json-string"] as const)("never cuts a character of a %s record", (format) => {
    const cut = (text: string) => decode(format, format === "text" ? text : JSON.stringify(text))[0]?.text;
    expect(cut("😀".repeat(5_000))).toBe(`${"😀".repeat(2048)} …[cut]`);
    expect(cut(`x${"😀".repeat(5_000)}`)).toBe(`x${"😀".repeat(2047)} …[cut]`);
    expect(cut(`xx${"é".repeat(5_000)}`)).toBe(`xx${"é".repeat(4095)} …[cut]`);
  });

  it("reads a long line as latin-1, too, and its first 8 kB as a file gives them", () => {
    expect(decode("text", Buffer.alloc(10_000, 0xe9))[0]?.text).toBe(`${"é".repeat(4096)} …[cut]`);
    const half = Buffer.from("😀".repeat(5_000)).subarray(0, 9_214);
    expect(decode("text", half)[0]?.text).toBe(`${"😀".repeat(2048)} …[cut]`);
  });
});

describe("auto", () => {
  it("unpacks gzip once, and leaves empty records out", () => {
    const packed = record(gzipSync('{"message":"up"}'));
    expect(chosen(packed)).toEqual({ name: "json", why: "gzip, then JSON" });
    expect(auto.decode(packed)).toEqual([{ text: "up", origin: {} }]);
    expect(auto.decode(record(null))).toEqual([]);
    expect(auto.decode(record(""))).toEqual([]);
  });

  it("reads fields that the pipeline names, whoever ships the record", () => {
    const named = createFormat("auto", { fields: { line: ["event.text"] } });
    const shippers = [
      '"@metadata":{"beat":"filebeat"}',
      '"source_type":"file"',
      '"@timestamp":1795338364.5',
      '"a":1',
    ];
    for (const one of [...shippers, '"version":"1.1","short_message":"no"'])
      expect(named.decode(record(`{${one},"message":"no","event":{"text":"up"}}`))[0]?.text).toBe("up");
  });

  it("reads a list of texts as lines, and any other list as it is written", () => {
    const texts = (value: string) => auto.decode(record(value)).map(({ text }) => text);
    expect(texts('["a","b",{"message":"c"}]')).toEqual(["a", "b", "c"]);
    expect(texts("[1, 2]")).toEqual(["[1, 2]"]);
    expect(texts(`[main] ${"x".repeat(10_000)}`)[0]).toMatch(/^\[main\] x+ …\[cut\]$/);
  });

  it("knows the schemas of packed Avro before it is decoded, and unpacks the beginning only", async () => {
    const asked: string[] = [];
    const registry = {
      load: async (schemas: Iterable<string>) => void asked.push(...schemas),
      typeOf: () => avsc.Type.forSchema("string"),
    };
    const framed = Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), Buffer.alloc(100_000)]);
    await createFormat("auto", { registry }).prepare?.([record(gzipSync(framed)), record("a line")]);
    expect(asked).toEqual(["7"]);
  });

  it("takes a line that begins like JSON as text, and refuses what is nothing", () => {
    expect(auto.decode(record("{core} started"))[0]?.text).toBe("{core} started");
    expect(auto.decode(record("[main] started"))[0]?.text).toBe("[main] started");
    expect(auto.decode(record('"quoted" started'))[0]?.text).toBe('"quoted" started');
    expect(() => auto.decode(record(Buffer.from([0xfe, 0xff, 0xc0])))).toThrow(/neither JSON/);
    expect(() => auto.decode(record(gzipSync(Buffer.alloc(20 * 2 ** 20))))).toThrow(/cannot be unpacked/);
  });
});

describe("hostile records go to the dead letters with their reason", () => {
  const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

  it.each<[FormatName, string | Uint8Array, string]>([
    ["filebeat", "{", "LG_RECORD_JSON"],
    ["filebeat", "[]", "LG_RECORD_JSON"],
    ["filebeat", Buffer.from([0x22, 0xff, 0x22]), "LG_RECORD_ENCODING"],
    ["filebeat", '{"a":1}', "LG_RECORD_NO_LINE"],
    ["json", `{"message":${deep(513)}}`, "LG_RECORD_DEPTH"],
    ["json", `[${"[],".repeat(60_000)}[]]`, "LG_RECORD_LINES"],
    ["json-string", "{}", "LG_RECORD_JSON"],
    ["otlp-json", '{"resourceMetrics":[]}', "LG_RECORD_NO_LINE"],
    ["otlp-proto", Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]), "LG_RECORD_PROTOBUF"],
    ["otlp-proto", Buffer.from("a text, no protobuf"), "LG_RECORD_PROTOBUF"],
    ["otlp-proto", nestedValues(600), "LG_RECORD_PROTOBUF"],
    ["otlp-proto", manyLogs(maxLines + 1), "LG_RECORD_LINES"],
    ["otlp-json", manyNames(12_000), "LG_RECORD_LINES_SIZE"],
    ["msgpack", Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]), "LG_RECORD_MSGPACK"],
    ["msgpack", Buffer.from([0x92, 0x01]), "LG_RECORD_MSGPACK"],
    ["msgpack", deepMap(100_000), "LG_RECORD_MSGPACK"],
    // Each head promises 40,000 elements, and the decoder would make room for them at every level.
    ["msgpack", Buffer.from("dd00009c40".repeat(8_000), "hex"), "LG_RECORD_MSGPACK"],
    ["otlp-proto", Buffer.from("error"), "LG_RECORD_NO_LINE"],
    ["auto", `{"resourceLogs":[${"{},".repeat(5_000)}`, "LG_RECORD_JSON"],
    ["auto", `{"resourceLogs":[{"a":${deep(600)}}]}`, "LG_RECORD_DEPTH"],
    ["msgpack", encode("text"), "LG_RECORD_MSGPACK"],
    ["text", "x", ""],
  ])("%s", (format, value, code) => {
    let found = "";
    try {
      decode(format, value);
    } catch (thrown) {
      found = (thrown as { code: string }).code;
    }
    expect(found).toBe(code);
  });

  it("JSON is as deep as it may be", () => {
    expect(decode("json", `{"message":${deep(511)}}`)[0]?.text).toContain("[[[");
    expect(decode("json", `{"message":"${"[".repeat(5000)}"}`)[0]?.text).toContain("[[[");
  });
});

/** A map whose message is a list in a list in a list. */
function deepMap(levels: number): Uint8Array {
  const head = Buffer.concat([Buffer.from([0x81, 0xa7]), Buffer.from("message")]);
  return Buffer.concat([head, Buffer.alloc(levels, 0x91), Buffer.from([0x01])]);
}

/** A log record whose body is lists in lists. */
function nestedValues(levels: number): Uint8Array {
  let value = protobuf.Writer.create().uint32(10).string("x").finish();
  for (let level = 0; level < levels; level++) {
    const list = protobuf.Writer.create().uint32(10).bytes(value).finish();
    value = protobuf.Writer.create().uint32(42).bytes(list).finish();
  }
  return inResource(protobuf.Writer.create().uint32(42).bytes(value).finish());
}

/** Short lines of one resource, whose names every line has. */
function manyNames(count: number): string {
  const name = (key: string) => ({ key, value: { stringValue: "n".repeat(1000) } });
  const attributes = ["host.name", "log.file.path", "k8s.pod.name"].map(name);
  const logRecords = Array.from({ length: count }, () => ({ body: { stringValue: "up" } }));
  return JSON.stringify({ resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }] });
}

function manyLogs(count: number): Uint8Array {
  const log = Buffer.from([0x12, 0x05, 0x2a, 0x03, 0x0a, 0x01, 0x78]);
  const scope = Buffer.concat(Array.from({ length: count }, () => log));
  const resource = protobuf.Writer.create().uint32(18).bytes(scope).finish();
  return protobuf.Writer.create().uint32(10).bytes(resource).finish();
}

function inResource(log: Uint8Array): Uint8Array {
  const scope = protobuf.Writer.create().uint32(18).bytes(log).finish();
  const resource = protobuf.Writer.create().uint32(18).bytes(scope).finish();
  return protobuf.Writer.create().uint32(10).bytes(resource).finish();
}

describe("layouts", () => {
  it("hdfs gives content and time", () => {
    const text = "081109 203530 147 INFO dfs.DataNode$DataXceiver: Receiving block blk_1 src: /10.0.0.1:5";
    expect(layouts.hdfs.parse(text)).toEqual({
      time: Date.UTC(2008, 10, 9, 20, 35, 30),
      fields: {
        pid: "147",
        level: "INFO",
        component: "dfs.DataNode$DataXceiver",
        content: "Receiving block blk_1 src: /10.0.0.1:5",
      },
    });
  });

  it("bgl leaves the label behind in every line of the sample", () => {
    const rows = readFileSync(dataFile("bgl/BGL_2k.log"), "latin1").trim().split("\n");
    for (const row of rows) {
      const parsed = layouts.bgl.parse(row);
      expect(parsed?.time).toBeGreaterThan(1e12);
      expect(parsed?.fields).not.toHaveProperty("label");
      expect(row.endsWith(parsed?.fields.content ?? "?")).toBe(true);
    }
  });

  it("syslog, log4j and nginx strip what stands before the content", () => {
    expect(layouts.syslog.parse("Dec 10 06:55:46 LabSZ sshd[24200]: Invalid user", recordedAt)).toEqual({
      time: Date.UTC(2026, 11, 10, 6, 55, 46),
      fields: { host: "LabSZ", program: "sshd", component: "sshd", pid: "24200", content: "Invalid user" },
    });
    const log4j = {
      time: Date.UTC(2015, 9, 18, 18, 1, 47, 978),
      fields: { level: "WARN", thread: "main", component: "org.apache.Foo", content: "a: b" },
    };
    expect(layouts.log4j.parse("2015-10-18 18:01:47,978 WARN  [main] org.apache.Foo: a: b")).toEqual(log4j);
    expect(layouts.log4j.parse("2015-10-18T18:01:47.978Z [main] WARN org.apache.Foo - a: b")).toEqual(log4j);
    expect(layouts.log4j.parse("no log4j")).toBeUndefined();
    expect(
      layouts.nginx.parse('10.0.0.1 - - [22/Nov/2026:09:57:51 +0100] "GET /a HTTP/1.1" 502 157 "-" "curl"'),
    ).toEqual({
      time: Date.UTC(2026, 10, 22, 8, 57, 51),
      fields: { component: "access", content: '"GET /a HTTP/1.1" 502 157 "-" "curl"' },
    });
    expect(
      layouts.nginx.parse("2026/11/22 08:57:51 [error] 77#77: *5 connect() failed, client: 10.0.0.1"),
    ).toMatchObject({ fields: { level: "error", pid: "77", content: "connect() failed, client: 10.0.0.1" } });
  });
});

describe("a layout of one's own", () => {
  it("gives the groups of its pattern, and the time where it is one", () => {
    const layout = createLayout({ pattern: "^(?P<time>\\S+) (?P<level>[A-Z]+) (?P<content>.*)$" });
    expect(layout.parse("2026-11-22T08:57:51.5Z WARN disk\nfull")).toEqual({
      time: Date.UTC(2026, 10, 22, 8, 57, 51, 500),
      fields: { time: "2026-11-22T08:57:51.5Z", level: "WARN", content: "disk\nfull" },
    });
    expect(layout.parse("some thing else")).toBeUndefined();
    expect(() => createLayout({ pattern: "(" })).toThrow(/not a valid RE2 expression/);
    expect(() => createLayout({ pattern: "(.*)" })).toThrow(/no group named content/);
  });
});

describe("window keys", () => {
  it("are the distinct ids in the text, or the origin where there is none", () => {
    const keysOf = createKeys({ kind: "pattern", pattern: "blk_-?\\d+" });
    const key = (text: string) => keysOf({ text, origin: { host: "h", file: "f" } }, { key: null }).keys;
    expect(key("copy blk_1 to blk_-2 of blk_1")).toEqual(["blk_1", "blk_-2"]);
    expect(key("no block")).toEqual(["h:f"]);
  });

  it("are the record's key, or the origin where it has none", () => {
    const keysOf = createKeys({ kind: "kafka" });
    const key = (key: Buffer | null) => keysOf({ text: "t", origin: { host: "h" } }, { key }).keys;
    expect(key(Buffer.from("tenant-ü"))).toEqual(["tenant-ü"]);
    for (const none of [null, Buffer.alloc(0)]) expect(key(none)).toEqual(["h"]);
    const [binary, long] = [Buffer.from([255, 1]), Buffer.alloc(100_000, "k")];
    for (const hashed of [binary, long])
      expect(key(hashed)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(key(binary)).not.toEqual(key(Buffer.from([254, 1])));
  });

  it("are the fields of the origin that are asked for, or the usual ones where it has none of them", () => {
    const keysOf = createKeys({ kind: "origin", fields: ["pod", "container"] });
    const key = (origin: Origin) => keysOf({ text: "t", origin }, { key: null }).keys;
    expect(key({ host: "h", file: "f", pod: "p", container: "c" })).toEqual(["p:c"]);
    expect(key({ host: "h", file: "f", container: "c" })).toEqual(["c"]);
    expect(key({ host: "h", file: "f" })).toEqual(["h:f"]);
  });

  it("spread over partitions, the same in every process", () => {
    const partitions = Array.from({ length: 1000 }, (_, place) => partitionOf(`blk_${place}`, 16));
    expect(new Set(partitions).size).toBe(16);
    expect(partitionOf("blk_1", 16)).toBe(partitions[1]);
  });
});
