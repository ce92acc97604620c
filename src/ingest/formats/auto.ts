import { isUtf8 } from "node:buffer";
import { constants, gunzipSync } from "node:zlib";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import type { DecodedLine, RawRecord } from "../line.ts";
import { type RecordFormat, refused } from "./format.ts";
import { isObject, type JsonFormat, maxRecordBytes, parseJson } from "./json-object.ts";
import { jsonString } from "./json-string.ts";
import { otlpJson } from "./otlp-json.ts";
import { maxLineBytes, text } from "./text.ts";

/** A gzip's head and the first of its text. */
const packedBeginning = 4096;

/** What a record is, what says so, and how its lines are had. */
type Found = [name: string, why: string, lines: () => DecodedLine[]];

/**
 * Looks at each record, in this order: gzip is unpacked once; Confluent's framing is avro, where a registry is configured;
 * what begins as JSON is told apart by its keys; a MessagePack map is msgpack; valid UTF-8 is text; the rest is refused.
 * OTLP protobuf is never guessed: it begins with a newline, as a text may.
 */
export function createAuto(
  formats: Record<"filebeat" | "fluentBit" | "vector" | "gelf" | "json", JsonFormat> & {
    msgpack: RecordFormat;
    avro: RecordFormat | undefined;
  },
): RecordFormat {
  const { filebeat, fluentBit, vector, gelf, json, msgpack, avro } = formats;

  function find(record: RawRecord): Found {
    const { value } = record;
    if (value === null || value.length === 0) return ["auto", "an empty record", () => []];
    const as = (format: RecordFormat, why: string): Found => [format.name, why, () => format.decode(record)];
    const first = value[0] ?? 0;
    if (first === 0x00 && avro !== undefined && value.length > 5)
      return as(avro, "begins with the id of an Avro schema");
    const begin = value.toString("latin1", 0, 64).trimStart()[0] ?? "";
    if (/[{["]/.test(begin)) return findJson(record, as, begin === "{");
    const isMap = (first & 0xf0) === 0x80 || first === 0xde || first === 0xdf;
    if (isMap && !isUtf8(value)) return as(msgpack, "begins as a MessagePack map");
    if (isUtf8(value)) return as(text, "valid UTF-8 that is no JSON");
    throw refused(
      "LG_RECORD_UNKNOWN",
      "A record is neither JSON, nor MessagePack, nor UTF-8.",
      undefined,
      "Name its format: otlp-proto is never guessed, and avro only where schemaRegistry.url is set.",
    );
  }

  function findJson(
    record: RawRecord,
    as: (format: RecordFormat, why: string) => Found,
    hasBrace: boolean,
  ): Found {
    let content: unknown;
    try {
      content = parseJson(record, "auto");
    } catch (thrown) {
      // A line may well begin like JSON; a brace before more than a line may be is JSON that was cut.
      if (hasBrace && !isLine(record, thrown)) throw thrown;
      return as(text, `begins like JSON, but: ${reasonOf(thrown)}`);
    }
    // A program may well print a list.
    if (Array.isArray(content) && !content.every((one) => isObject(one) || typeof one === "string"))
      return as(text, "a JSON array of neither objects nor texts");
    const [format, why] = jsonKind(content);
    return [format.name, why, () => format.linesOf(content)];
  }

  function jsonKind(content: unknown): [JsonFormat, string] {
    if (typeof content === "string") return [jsonString, "a JSON string"];
    if (!isObject(content)) return [json, "a JSON array"];
    if ("resourceLogs" in content) return [otlpJson, "JSON with resourceLogs"];
    if ((content.version === "1.1" || content.version === 1.1) && "short_message" in content)
      return [gelf, 'JSON with version "1.1" and short_message'];
    if (isObject(content["@metadata"]) && "beat" in content["@metadata"])
      return [filebeat, "JSON with @metadata.beat"];
    if ("source_type" in content) return [vector, "JSON with source_type"];
    if ("logtag" in content) return [fluentBit, "JSON with logtag, of Fluent Bit's cri parser"];
    if (typeof content["@timestamp"] === "number") return [fluentBit, "JSON with a number as @timestamp"];
    if ("MESSAGE" in content) return [json, "JSON with MESSAGE, of journald or syslog-ng"];
    return [json, "JSON"];
  }

  return {
    name: "auto",
    decode(record, onChoice) {
      const unpacked = ungzipped(record);
      const [name, why, lines] = find(unpacked);
      onChoice?.({ name, why: unpacked === record ? why : `gzip, then ${why}` });
      return lines();
    },
    ...(avro?.prepare === undefined
      ? {}
      : {
          prepare: (records) => avro.prepare?.(records.map(beginning)) ?? Promise.resolve(),
        }),
  };
}

function isGzip(value: Buffer): boolean {
  return value[0] === 0x1f && value[1] === 0x8b;
}

function ungzipped(record: RawRecord): RawRecord {
  const { value } = record;
  if (value === null || !isGzip(value)) return record;
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

/** Enough of a record to see the schema it names: it is unpacked when it is decoded, and what is no gzip told of then. */
function beginning(record: RawRecord): RawRecord {
  const { value } = record;
  if (value === null || !isGzip(value)) return framed(record);
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH };
    return framed({ ...record, value: gunzipSync(value.subarray(0, packedBeginning), options) });
  } catch {
    return { ...record, value: null };
  }
}

function framed(record: RawRecord): RawRecord {
  return record.value?.[0] === 0x00 ? record : { ...record, value: null };
}

function isLine({ value }: RawRecord, thrown: unknown): boolean {
  const code = thrown instanceof LogGuardianError ? thrown.code : "";
  const isText = code === "LG_RECORD_JSON" || code === "LG_RECORD_ENCODING";
  return isText && (value?.length ?? 0) <= maxLineBytes;
}
