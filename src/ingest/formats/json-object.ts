import { TextDecoder } from "node:util";
import { reasonOf } from "../../errors.ts";
import type { DecodedLine, RawRecord } from "../line.ts";
import { type RecordFormat, refused } from "./format.ts";

export type JsonObject = Record<string, unknown>;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Bytes of a record at most: a shipper's envelope around one line is a few kilobytes, a batch of OTLP one megabyte. */
export const maxRecordBytes = 16 * 2 ** 20;
/** Of JSON, and of what is built like it. */
export const maxDepth = 512;

/** The record's JSON; undefined for an empty record. @throws LogGuardianError LG_RECORD_SIZE, LG_RECORD_ENCODING, LG_RECORD_JSON. */
export function parseJson({ value }: RawRecord, format: string): unknown {
  if (value === null || value.length === 0) return undefined;
  assertSize(value, format);
  // Every level takes two brackets, so that a record of the usual size needs no look.
  if (value.length > 2 * maxDepth && isTooDeep(value))
    throw refused("LG_RECORD_DEPTH", `A ${format} record is nested more than ${maxDepth} levels deep.`);
  try {
    return JSON.parse(utf8.decode(value));
  } catch (thrown) {
    if (thrown instanceof SyntaxError)
      throw refused("LG_RECORD_JSON", `A ${format} record is not JSON: ${reasonOf(thrown)}.`, thrown);
    throw refused("LG_RECORD_ENCODING", `A ${format} record is not UTF-8.`, thrown);
  }
}

/** A format whose records are JSON: of JSON that was parsed already it takes that. */
export interface JsonFormat extends RecordFormat {
  linesOf(content: unknown): DecodedLine[];
}

export function createJsonFormat(name: string, linesOf: JsonFormat["linesOf"]): JsonFormat {
  return {
    name,
    linesOf,
    decode(record) {
      const content = parseJson(record, name);
      return content === undefined ? [] : linesOf(content);
    },
  };
}

/** @throws LogGuardianError LG_RECORD_JSON where it is none. */
export function objectOf(content: unknown, format: string): JsonObject {
  if (isObject(content)) return content;
  throw refused("LG_RECORD_JSON", `A ${format} record is not a JSON object.`);
}

export function isObject(content: unknown): content is JsonObject {
  return typeof content === "object" && content !== null && !Array.isArray(content);
}

/** @throws LogGuardianError LG_RECORD_SIZE. */
export function assertSize(value: Buffer, format: string): void {
  if (value.length > maxRecordBytes)
    throw refused(
      "LG_RECORD_SIZE",
      `A ${format} record has ${value.length} bytes, more than ${maxRecordBytes}.`,
    );
}

/** Counts brackets outside of strings. */
function isTooDeep(bytes: Buffer): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxDepth) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}
