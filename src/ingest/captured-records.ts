import { readFile } from "node:fs/promises";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { RawRecord } from "./line.ts";

interface Row {
  topic?: unknown;
  partition?: unknown;
  offset?: unknown;
  key?: unknown;
  keyEncoding?: unknown;
  value?: unknown;
  valueEncoding?: unknown;
  headers?: unknown;
  timestamp?: unknown;
}

/**
 * Kafka records out of a file: one JSON object a line, `{topic, partition, offset, key, value, valueEncoding?: utf8 or
 * base64, headers, timestamp: milliseconds}`. @throws LogGuardianError LG_FILE_UNREADABLE, LG_RECORDS_FILE.
 */
export async function readCapturedRecords(path: string): Promise<RawRecord[]> {
  const text = await readFile(path, "utf8").catch((thrown) => {
    throw new LogGuardianError(
      "LG_FILE_UNREADABLE",
      `${path} cannot be read: ${reasonOf(thrown)}.`,
      "Check the path and its permissions.",
      thrown,
    );
  });
  return text.split("\n").flatMap((line, place) => {
    if (line.trim() === "") return [];
    try {
      return [recordOf(JSON.parse(line), place)];
    } catch (thrown) {
      throw new LogGuardianError(
        "LG_RECORDS_FILE",
        `${path}, line ${place + 1} is no record: ${reasonOf(thrown)}.`,
        'Write one JSON object a line, such as {"topic": "app", "partition": 0, "offset": 7, "value": "a line", "timestamp": 1795338364271}.',
        thrown,
      );
    }
  });
}

function recordOf(row: Row, place: number): RawRecord {
  if (typeof row !== "object" || row === null || !("value" in row)) throw new Error("it has no value");
  const headers = typeof row.headers === "object" && row.headers !== null ? row.headers : {};
  return {
    topic: typeof row.topic === "string" ? row.topic : "records",
    partition: whole(row.partition ?? 0, "partition"),
    offset: whole(row.offset ?? place, "offset"),
    key: bytesOf(row.key ?? null, row.keyEncoding, "key"),
    value: bytesOf(row.value, row.valueEncoding, "value"),
    headers: headers as RawRecord["headers"],
    timestamp: whole(row.timestamp ?? -1, "timestamp"),
  };
}

function bytesOf(value: unknown, encoding: unknown, name: string): Buffer | null {
  if (value === null) return null;
  if (typeof value !== "string") throw new Error(`its ${name} is no text`);
  if (encoding !== undefined && encoding !== null && encoding !== "utf8" && encoding !== "base64")
    throw new Error(`its ${name}Encoding is neither utf8 nor base64`);
  return Buffer.from(value, encoding === "base64" ? "base64" : "utf8");
}

/** Kafka's numbers of 64 bits are often written as text. */
function whole(value: unknown, name: string): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (!Number.isSafeInteger(number)) throw new Error(`its ${name} is no whole number`);
  return number as number;
}
