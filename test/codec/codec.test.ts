import { readFileSync } from "node:fs";
import { join } from "node:path";
import avsc from "avsc";
import { describe, expect, it } from "vitest";
import { decodeFeedback, encodeFeedback } from "../../src/codec/feedback.ts";
import { decodedLine } from "../../src/codec/line.ts";
import { decodeLines, encodeLines } from "../../src/codec/lines.ts";
import { rabinFingerprint } from "../../src/codec/single-object.ts";
import {
  decodeEntry,
  decodeWindow,
  encodeEntry,
  encodeWindow,
  maxWindowBytes,
} from "../../src/codec/window.ts";
import type { Line } from "../../src/ingest/line.ts";
import type { LinesChunk, LinesMessage } from "../../src/ingest/lines-message.ts";
import { earliestTime, splitChunk } from "../../src/ingest/lines-message.ts";
import type { Feedback } from "../../src/verdict/feedback.ts";
import { bytesOf } from "../../src/window/entry.ts";
import type { Window } from "../../src/window/window.ts";
import { root } from "../support/data.ts";
import { decodedMessage, decodedWindow } from "../support/decoded.ts";

const line = (offset: number, text = `line ${offset} – ü`): Line => ({
  position: { topic: "raw", partition: 2, offset, index: 0 },
  time: 1_700_000_000_123,
  origin: { host: "h", pod: "p" },
  fileOffset: 7,
  text,
  masked: text,
});

const chunk = (lines: Line[]): LinesChunk => ({
  kind: "chunk",
  source: { topic: "raw", incarnation: "1", partition: 2 },
  topics: [{ topic: "raw", partitions: 6 }],
  through: { offset: 99, index: 3 },
  streamTime: earliestTime,
  maskHash: "m",
  lines: lines.map((one) => ({ ...one, keys: ["a", "b"] })),
});

const window = (lines: Line[]): Window => ({
  id: "i",
  pipeline: "p",
  key: "k",
  revision: 0,
  reason: "gap",
  start: 1,
  end: 2,
  maskHash: "m",
  lines,
  formerIds: ["f"],
});

const feedback: Feedback = {
  id: "i",
  pipeline: "p",
  fingerprint: "f",
  judgement: "false-alarm",
  at: 1_700_000_000_123,
  by: "ü",
  until: 1_800_000_000_000,
  model: { name: "m", version: "1" },
  lines: [{ text: "took 17 ms", masked: "took <*> ms" }],
};

describe("messages", () => {
  it("come back as they were", () => {
    const bare: Line = { ...line(1), origin: {} };
    delete bare.fileOffset;
    const messages: LinesMessage[] = [chunk([line(0), bare]), chunk([]), { kind: "flush", label: "now" }];
    for (const message of messages) {
      const once = decodeLines(encodeLines(message));
      expect(decodedMessage(once)).toEqual(message);
      // As a windower passes it on: what is still encoded goes into the next message as it is.
      expect(decodedMessage(decodeLines(encodeLines(once)))).toEqual(message);
    }
    expect(decodeWindow(encodeWindow(window([line(0), bare])))).toEqual(window([line(0), bare]));
    const entry = { seq: 5, offset: 8, key: "k", incarnation: "2", line: bare };
    const stored = decodeEntry(5, encodeEntry(entry));
    expect({ ...stored, line: decodedLine(stored.line) }).toEqual(entry);
    const { until: _, ...open } = feedback;
    for (const one of [feedback, { ...open, note: "known" }])
      expect(decodeFeedback(encodeFeedback(one))).toEqual(one);
  });

  it("have the bytes that avsc writes by their schema", () => {
    const large = { ...line(2 ** 40, `${"x".repeat(62)} – ü ${"y".repeat(9000)}`), time: earliestTime };
    const lines = [line(0, ""), large, line(3, "é".repeat(40)), line(4, "x".repeat(63))];
    for (const [file, bytes] of [
      ["lines.v1", encodeLines(chunk(lines))],
      ["lines.v1", encodeLines({ kind: "flush", label: "now" })],
      ["window.v2", encodeWindow(window(lines))],
      ["feedback.v1", encodeFeedback(feedback)],
      ["entry.v1", encodeEntry({ seq: 1, offset: 8, key: "k", incarnation: "2", line: large })],
    ] as const) {
      const schema = readFileSync(join(root, `schemas/${file}.avsc`), "utf8");
      const type = avsc.Type.forSchema(JSON.parse(schema));
      const body = bytes.subarray(10);
      expect(type.toBuffer(type.fromBuffer(body)).equals(body), file).toBe(true);
    }
  });

  it("of the versions before are read, too", () => {
    const type = avsc.Type.forSchema(JSON.parse(readFileSync(join(root, "schemas/window.v1.avsc"), "utf8")));
    const { formerIds: _, ...former } = window([line(0)]);
    const fingerprint = Buffer.alloc(8);
    fingerprint.writeBigUInt64LE(rabinFingerprint(JSON.stringify(type.schema())));
    const origin = { host: "h", file: null, pod: "p", container: null };
    const body = type.toBuffer({ ...former, lines: [{ ...line(0), origin }] });
    const read = decodeWindow(Buffer.concat([Buffer.from([0xc3, 0x01]), fingerprint, body]));
    expect(decodedWindow(read)).toEqual({ ...former, lines: [line(0)], formerIds: [] });
  });

  it("that end anywhere, or go on behind their end, are damaged", () => {
    const bytes = encodeWindow(window([line(0), line(1)]));
    for (let end = 10; end < bytes.length; end++)
      expect(() => decodeWindow(bytes.subarray(0, end))).toThrow(
        expect.objectContaining({ code: "LG_MESSAGE_DAMAGED" }),
      );
    expect(() => decodeWindow(Buffer.concat([bytes, Buffer.from([0])]))).toThrow(
      expect.objectContaining({ code: "LG_MESSAGE_DAMAGED" }),
    );
  });

  it("hold no number that cannot be read again", () => {
    for (const time of [2 ** 53, Number.NaN, 1.5])
      expect(() => encodeWindow({ ...window([line(0)]), start: time })).toThrow(RangeError);
    // A long that another writer may well have sent: no number here is that exact.
    const bytes = encodeEntry({ seq: 1, offset: 0, key: "k", incarnation: "1", line: line(0) });
    for (const large of ["ffffffffffffffff7f", "feffffffffffffffff01"])
      expect(() =>
        decodeEntry(1, Buffer.concat([bytes.subarray(0, 10), Buffer.from(large, "hex"), bytes.subarray(11)])),
      ).toThrow(expect.objectContaining({ code: "LG_MESSAGE_DAMAGED" }));
  });

  it("weigh the same before and after they were stored: else a restart would evict other windows", () => {
    const message = decodeLines(encodeLines(chunk([line(0)]))) as LinesChunk;
    for (const one of message.lines) {
      const entry = { seq: 5, offset: 8, key: "k", incarnation: "2", line: one };
      expect(bytesOf(decodeEntry(5, encodeEntry(entry)))).toBe(bytesOf(entry));
    }
  });

  it("begin with Avro's single-object marker and the schema's fingerprint", () => {
    // Avro specification 1.11, "Schema Fingerprints", and its Java implementation.
    expect(rabinFingerprint('"int"')).toBe(0x7275d51a3f395c8fn);
    expect(rabinFingerprint('"string"')).toBe(0x8f014872634503c7n);
    expect(encodeWindow(window([line(0)])).subarray(0, 2)).toEqual(Buffer.from([0xc3, 0x01]));
  });

  it("of another schema, or damaged, are told apart", () => {
    const bytes = encodeLines(chunk([line(0)]));
    expect(() => decodeWindow(bytes)).toThrow(expect.objectContaining({ code: "LG_MESSAGE_SCHEMA" }));
    expect(() => decodeLines(Buffer.from("{}"))).toThrow(
      expect.objectContaining({ code: "LG_MESSAGE_SCHEMA" }),
    );
    expect(() => decodeLines(bytes.subarray(0, 30))).toThrow(
      expect.objectContaining({ code: "LG_MESSAGE_DAMAGED" }),
    );
  });
});

describe("a window that is too large", () => {
  it("has its longest raw lines cut and marked, and keeps what the model sees", () => {
    const lines = [
      line(0, "short"),
      ...Array.from({ length: 150 }, (_, at) => line(at + 1, "x".repeat(8000))),
    ];
    for (const one of lines) one.masked = "masked";
    const bytes = encodeWindow(window(lines));
    expect(bytes.length).toBeLessThanOrEqual(maxWindowBytes);
    const back = decodeWindow(bytes).lines;
    expect(back.map(({ masked }) => masked)).toEqual(lines.map(({ masked }) => masked));
    expect(back[0]?.text).toBe("short");
    expect(back[1]?.text).toMatch(/^x{4000}x* …\[cut\]$/);
  });
});

describe("a chunk that is too large", () => {
  it("is split, reports each part's own lines, and moves stream time on only with the last", () => {
    const whole = {
      ...chunk(Array.from({ length: 200 }, (_, at) => line(at, "y".repeat(6000)))),
      streamTime: 500,
    };
    const parts = splitChunk(whole, 100);
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.flatMap(({ lines }) => lines)).toEqual(whole.lines);
    for (const part of parts) expect(encodeLines(part).length).toBeLessThan(600 * 1024);
    expect(parts.map(({ streamTime }) => streamTime)).toEqual([...parts.slice(1).map(() => 100), 500]);
    expect(parts.at(-1)?.through).toEqual(whole.through);
    expect(parts[0]?.through).toEqual({ offset: parts[0]?.lines.at(-1)?.position.offset, index: 0 });
  });
});
