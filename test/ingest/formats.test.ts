import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formats } from "../../src/ingest/formats/index.ts";
import { createKeys, partitionOf } from "../../src/ingest/keys.ts";
import { layouts } from "../../src/ingest/layouts.ts";
import type { RawRecord } from "../../src/ingest/line.ts";
import { dataFile } from "../support/data.ts";

const record = (value: string | Buffer | null): RawRecord => ({
  topic: "t",
  partition: 0,
  offset: 0,
  key: null,
  value: value === null ? null : Buffer.from(value),
  headers: {},
  timestamp: 1,
});

describe("filebeat", () => {
  it.each(["filebeat-7.17.28.jsonl", "filebeat-7.17.28-keyed.jsonl"])(
    "decodes every captured record of %s",
    (file) => {
      const rows = readFileSync(dataFile(`records/${file}`), "utf8")
        .trim()
        .split("\n");
      expect(rows.length).toBeGreaterThan(20);
      for (const row of rows) {
        const { value } = JSON.parse(row);
        const sent = JSON.parse(value);
        const [line, ...more] = formats.filebeat.decode(record(value));
        expect(more).toEqual([]);
        expect(line?.text).toBe(sent.message.replace(/\r$/, ""));
        expect(line?.time).toBe(Date.parse(sent["@timestamp"]));
        expect(line?.origin).toMatchObject({ host: "vm", file: sent.log.file.path });
        expect(line?.fileOffset).toBe(sent.log.offset);
      }
    },
  );

  it("says why a record belongs into the dead letters", () => {
    expect(() => formats.filebeat.decode(record("{"))).toThrow(/is not JSON/);
    expect(() => formats.filebeat.decode(record(Buffer.from([0x22, 0xff, 0x22])))).toThrow(/is not UTF-8/);
    expect(() => formats.filebeat.decode(record('{"a":1}'))).toThrow(/no line under message/);
    expect(formats.filebeat.decode(record(null))).toEqual([]);
  });
});

// No capture of Fluent Bit is at hand: these records follow its documentation of out_kafka.
describe("fluent-bit", () => {
  it("reads tail's and systemd's records", () => {
    const tail = '{"@timestamp":1795338364.5,"log":"hello\\n","path":"/var/log/a.log","host":"n1"}';
    expect(formats["fluent-bit"].decode(record(tail))).toEqual([
      { text: "hello", time: 1795338364500, origin: { host: "n1", file: "/var/log/a.log" } },
    ]);
    const systemd =
      '{"@timestamp":"2026-11-22T08:57:51Z","MESSAGE":"up","_HOSTNAME":"n2","_SYSTEMD_UNIT":"a.service"}';
    expect(formats["fluent-bit"].decode(record(systemd))).toMatchObject([
      { text: "up", time: Date.UTC(2026, 10, 22, 8, 57, 51), origin: { host: "n2", file: "a.service" } },
    ]);
  });
});

describe("text", () => {
  it("reads UTF-8, and latin-1 where it is not UTF-8; trims one line end", () => {
    expect(formats.text.decode(record("é\r\n"))[0]?.text).toBe("é");
    expect(formats.text.decode(record(Buffer.from([0xe9])))[0]?.text).toBe("é");
  });
});

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
});

describe("window keys", () => {
  it("are the distinct ids in the text, or the origin where there is none", () => {
    const keysOf = createKeys({ kind: "pattern", pattern: "blk_-?\\d+" });
    expect(keysOf("copy blk_1 to blk_-2 of blk_1", {}).keys).toEqual(["blk_1", "blk_-2"]);
    expect(keysOf("no block", { host: "h", file: "f" }).keys).toEqual(["h:f"]);
  });

  it("spread over partitions, the same in every process", () => {
    const partitions = Array.from({ length: 1000 }, (_, place) => partitionOf(`blk_${place}`, 16));
    expect(new Set(partitions).size).toBe(16);
    expect(partitionOf("blk_1", 16)).toBe(partitions[1]);
  });
});
