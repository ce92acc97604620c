import { TextDecoder } from "node:util";
import { gunzipSync } from "node:zlib";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import type { RawRecord } from "../line.ts";
import { filebeat } from "./filebeat.ts";
import { fluentBit } from "./fluent-bit.ts";
import { type RecordFormat, refused } from "./format.ts";
import { gelf } from "./gelf.ts";
import { isObject, maxRecordBytes, parseJson } from "./json-object.ts";
import { jsonString } from "./json-string.ts";
import { otlpJson } from "./otlp-json.ts";
import { maxLineBytes, text } from "./text.ts";
import { vector } from "./vector.ts";

interface Choice {
  format: RecordFormat;
  why: string;
  /** As the format reads it: without a gzip around it. */
  record: RawRecord;
}

/**
 * Looks at each record, in this order: gzip is unpacked once; Confluent's framing is avro, where a registry is configured;
 * what begins as JSON is told apart by its keys; a MessagePack map is msgpack; valid UTF-8 is text; the rest is refused.
 * OTLP protobuf is never guessed: it begins with a newline, as a text may.
 */
export function createAuto(formats: {
  json: RecordFormat;
  msgpack: RecordFormat;
  avro: RecordFormat | undefined;
}): RecordFormat {
  const { json, msgpack, avro } = formats;

  function choose(record: RawRecord): Choice | undefined {
    const unpacked = ungzipped(record);
    const { value } = unpacked;
    if (value === null || value.length === 0) return undefined;
    const because = (format: RecordFormat, why: string): Choice => ({
      format,
      why: unpacked === record ? why : `gzip, then ${why}`,
      record: unpacked,
    });
    const first = value[0] ?? 0;
    if (first === 0x00 && avro !== undefined && value.length > 5)
      return because(avro, "begins with the id of an Avro schema");
    const begin = value.toString("latin1", 0, 64).trimStart()[0];
    if (begin === "{") return because(...jsonKind(unpacked));
    if (begin === "[" && isJson(unpacked)) return because(json, "a JSON array");
    if (begin === '"' && isJson(unpacked)) return because(jsonString, "a JSON string");
    const isMap = (first & 0xf0) === 0x80 || first === 0xde || first === 0xdf;
    if (isMap && !isUtf8(value)) return because(msgpack, "begins as a MessagePack map");
    if (isUtf8(value)) return because(text, "valid UTF-8 that is no JSON");
    throw refused(
      "LG_RECORD_UNKNOWN",
      "A record is neither JSON, nor MessagePack, nor UTF-8.",
      undefined,
      "Name its format: otlp-proto is never guessed, and avro only where schemaRegistry.url is set.",
    );
  }

  function jsonKind(record: RawRecord): [RecordFormat, string] {
    let content: unknown;
    try {
      content = parseJson(record, "auto");
    } catch (thrown) {
      // A line may well begin with a brace; what is longer than a line may be is JSON that was cut.
      if (!isLine(record, thrown)) throw thrown;
      return [text, `begins with a brace, but: ${reasonOf(thrown)}`];
    }
    if (!isObject(content)) return [json, "JSON"];
    if ("resourceLogs" in content) return [otlpJson, "JSON with resourceLogs"];
    if ((content.version === "1.1" || content.version === 1.1) && "short_message" in content)
      return [gelf, 'JSON with version "1.1" and short_message'];
    if (isObject(content["@metadata"]) && "beat" in content["@metadata"])
      return [filebeat, "JSON with @metadata.beat"];
    if ("source_type" in content) return [vector, "JSON with source_type"];
    if (typeof content["@timestamp"] === "number") return [fluentBit, "JSON with a number as @timestamp"];
    if ("MESSAGE" in content) return [json, "JSON with MESSAGE, of journald or syslog-ng"];
    return [json, "JSON"];
  }

  return {
    name: "auto",
    choose(record) {
      const chosen = choose(record);
      return chosen === undefined
        ? { name: "auto", why: "an empty record" }
        : { name: chosen.format.name, why: chosen.why };
    },
    decode(record) {
      const chosen = choose(record);
      return chosen === undefined ? [] : chosen.format.decode(chosen.record);
    },
    ...(avro?.prepare === undefined
      ? {}
      : {
          prepare: (records) => avro.prepare?.(records.map(framed)) ?? Promise.resolve(),
        }),
  };
}

function ungzipped(record: RawRecord): RawRecord {
  const { value } = record;
  if (value === null || value[0] !== 0x1f || value[1] !== 0x8b) return record;
  try {
    return { ...record, value: gunzipSync(value, { maxOutputLength: maxRecordBytes }) };
  } catch (thrown) {
    throw refused(
      "LG_RECORD_GZIP",
      `A record begins as gzip and cannot be unpacked: ${reasonOf(thrown)}.`,
      thrown,
    );
  }
}

/** As avro reads it; a record that cannot be unpacked is told of when it is decoded. */
function framed(record: RawRecord): RawRecord {
  try {
    const unpacked = ungzipped(record);
    return unpacked.value?.[0] === 0x00 ? unpacked : { ...record, value: null };
  } catch {
    return { ...record, value: null };
  }
}

function isLine({ value }: RawRecord, thrown: unknown): boolean {
  const code = thrown instanceof LogGuardianError ? thrown.code : "";
  const isText = code === "LG_RECORD_JSON" || code === "LG_RECORD_ENCODING";
  return isText && (value?.length ?? 0) <= maxLineBytes;
}

function isJson(record: RawRecord): boolean {
  try {
    parseJson(record, "auto");
    return true;
  } catch {
    return false;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function isUtf8(value: Buffer): boolean {
  try {
    utf8.decode(value);
    return true;
  } catch {
    return false;
  }
}
