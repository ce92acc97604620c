import protobuf from "protobufjs/minimal.js";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import type { DecodedLine } from "../line.ts";
import { collectLines, type RecordFormat, refused } from "./format.ts";
import { assertSize, type JsonObject, maxDepth } from "./json-object.ts";
import { lineOfOtlp, type OtlpRecord } from "./otlp.ts";

type Reader = protobuf.Reader;

/**
 * OTLP's protobuf encoding: one ExportLogsServiceRequest a record.
 *
 * The messages are read by hand over protobufjs' reader: what makes no line is stepped over, and a hostile record is
 * refused before it has become objects of a hundred times its size. Field numbers: opentelemetry-proto 1.x.
 */
export const otlpProto: RecordFormat = {
  name: "otlp-proto",
  decode({ value }) {
    if (value === null || value.length === 0) return [];
    assertSize(value, "otlp-proto");
    const { lines, push } = collectLines("otlp-proto");
    try {
      const reader = protobuf.Reader.create(value);
      readMessage(reader, reader.len, { 1: (end) => readResourceLogs(reader, end, push) });
    } catch (thrown) {
      if (thrown instanceof LogGuardianError) throw thrown;
      throw refused(
        "LG_RECORD_PROTOBUF",
        `An otlp-proto record cannot be read: ${reasonOf(thrown)}.`,
        thrown,
      );
    }
    if (lines.length === 0)
      throw refused(
        "LG_RECORD_NO_LINE",
        "An otlp-proto record holds no log record: it may be something else.",
      );
    return lines;
  },
};

/** Steps through a message's fields up to `end`; `fields` reads those of interest. */
function readMessage(reader: Reader, end: number, fields: Record<number, (end: number) => void>): void {
  if (end > reader.len) throw new RangeError("a message is longer than the record");
  while (reader.pos < end) {
    const tag = reader.uint32();
    const read = fields[tag >>> 3];
    const isMessage = (tag & 7) === 2;
    if (read === undefined || !isMessage) reader.skipType(tag & 7);
    else {
      const length = reader.uint32();
      const fieldEnd = reader.pos + length;
      if (fieldEnd > end) throw new RangeError("a field is longer than its message");
      read(fieldEnd);
      reader.pos = fieldEnd;
    }
  }
}

function readResourceLogs(reader: Reader, end: number, push: (line: DecodedLine) => void): void {
  const resource: JsonObject = {};
  const scopes: [number, number][] = [];
  readMessage(reader, end, {
    1: (resourceEnd) => readMessage(reader, resourceEnd, { 1: (at) => readPair(reader, at, resource, 0) }),
    // The resource may stand behind its logs.
    2: (scopeEnd) => scopes.push([reader.pos, scopeEnd]),
  });
  for (const [from, scopeEnd] of scopes) {
    reader.pos = from;
    readMessage(reader, scopeEnd, {
      2: (logEnd) => push(lineOfOtlp(readLogRecord(reader, logEnd, resource))),
    });
  }
}

function readLogRecord(reader: Reader, end: number, resource: JsonObject): OtlpRecord {
  const record: OtlpRecord = { time: "", observed: "", body: undefined, attributes: {}, resource };
  while (reader.pos < end) {
    const tag = reader.uint32();
    // field number << 3 | wire type
    if (tag === ((1 << 3) | 1)) record.time = reader.fixed64().toString();
    else if (tag === ((11 << 3) | 1)) record.observed = reader.fixed64().toString();
    else if (tag === ((5 << 3) | 2)) record.body = readValue(reader, endOf(reader, end), 0);
    else if (tag === ((6 << 3) | 2)) readPair(reader, endOf(reader, end), record.attributes, 0);
    else reader.skipType(tag & 7);
  }
  return record;
}

/** KeyValue, into an object. */
function readPair(reader: Reader, end: number, into: JsonObject, depth: number): void {
  let key = "";
  let value: unknown;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === ((1 << 3) | 2)) key = reader.string();
    else if (tag === ((2 << 3) | 2)) value = readValue(reader, endOf(reader, end), depth);
    else reader.skipType(tag & 7);
  }
  // Not by assignment, which would follow a key named __proto__.
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

/** AnyValue. */
function readValue(reader: Reader, end: number, depth: number): unknown {
  if (depth > maxDepth) throw new RangeError(`it is nested more than ${maxDepth} levels deep`);
  let value: unknown;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === ((1 << 3) | 2)) value = reader.string();
    else if (tag === ((2 << 3) | 0)) value = reader.bool();
    else if (tag === ((3 << 3) | 0)) value = Number(reader.int64().toString());
    else if (tag === ((4 << 3) | 1)) value = reader.double();
    else if (tag === ((5 << 3) | 2)) {
      const list: unknown[] = [];
      readMessage(reader, endOf(reader, end), { 1: (at) => list.push(readValue(reader, at, depth + 1)) });
      value = list;
    } else if (tag === ((6 << 3) | 2)) {
      const pairs: JsonObject = {};
      readMessage(reader, endOf(reader, end), { 1: (at) => readPair(reader, at, pairs, depth + 1) });
      value = pairs;
    } else if (tag === ((7 << 3) | 2)) value = Buffer.from(reader.bytes()).toString("base64");
    else reader.skipType(tag & 7);
  }
  return value;
}

/** Where a field that begins with its length ends. */
function endOf(reader: Reader, outer: number): number {
  const end = reader.uint32() + reader.pos;
  if (end > outer) throw new RangeError("a field is longer than its message");
  return end;
}
