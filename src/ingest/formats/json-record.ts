import { TextDecoder } from "node:util";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import type { DecodedLine, RawRecord } from "../line.ts";
import { boundText } from "./text.ts";

export type JsonObject = Record<string, unknown>;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Bytes of a record at most: a shipper's envelope around one line is a few kilobytes. */
const maxRecordBytes = 16 * 2 ** 20;

/** @throws LogGuardianError LG_RECORD_SIZE, LG_RECORD_ENCODING, LG_RECORD_JSON. */
export function parseObject(record: RawRecord, format: string): JsonObject | undefined {
  const { value } = record;
  if (value === null || value.length === 0) return undefined;
  const refuse = (code: `LG_${string}`, what: string, cause?: unknown) =>
    new LogGuardianError(
      code,
      `A ${format} record ${what}.`,
      "Check the topic's format in the configuration.",
      cause,
    );
  if (value.length > maxRecordBytes) throw refuse("LG_RECORD_SIZE", `has ${value.length} bytes`);
  let content: unknown;
  try {
    content = JSON.parse(utf8.decode(value));
  } catch (thrown) {
    const isText = thrown instanceof SyntaxError;
    throw refuse(
      isText ? "LG_RECORD_JSON" : "LG_RECORD_ENCODING",
      isText ? `is not JSON: ${reasonOf(thrown)}` : "is not UTF-8",
      thrown,
    );
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw refuse("LG_RECORD_JSON", "is not a JSON object");
  }
  return content as JsonObject;
}

/** The line under the first of these keys that is there. @throws LogGuardianError LG_RECORD_NO_LINE. */
export function lineOf(content: JsonObject, keys: readonly string[], format: string): string {
  for (const key of keys) {
    const value = content[key];
    if (typeof value === "string") return boundText(value);
    if (value !== undefined && value !== null) return boundText(JSON.stringify(value));
  }
  throw new LogGuardianError(
    "LG_RECORD_NO_LINE",
    `A ${format} record holds no line under ${keys.join(", ")}.`,
    "Check the topic's format in the configuration.",
  );
}

/** Milliseconds since the epoch from ISO text, or from a number of seconds, ms, µs or ns, told apart by its size. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) {
    if (value < 1e11) return Math.round(value * 1000);
    if (value < 1e14) return Math.round(value);
    if (value < 1e17) return Math.round(value / 1e3);
    return Math.round(value / 1e6);
  }
  if (typeof value === "string") {
    const time = Date.parse(value);
    return Number.isNaN(time) ? undefined : time;
  }
  return undefined;
}

/** Names of hosts, files and pods are shorter; what is longer would make a line too large to send. */
const maxNameCharacters = 1024;

/** A name inside nested objects, if it is there. */
export function stringAt(content: unknown, ...path: string[]): string | undefined {
  let at: unknown = content;
  for (const key of path) at = typeof at === "object" && at !== null ? (at as JsonObject)[key] : undefined;
  return typeof at === "string" && at !== "" ? at.slice(0, maxNameCharacters) : undefined;
}

/** Leaves out what is undefined: an origin names only what is known. */
export function defined<T extends object>(entries: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as T;
}

export function decodedLine(line: DecodedLine, time: number | undefined): DecodedLine {
  return time === undefined ? line : { ...line, time };
}
