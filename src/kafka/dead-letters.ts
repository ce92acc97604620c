import { createHash } from "node:crypto";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { RawRecord } from "../ingest/line.ts";
import type { OutgoingMessage } from "./sender.ts";

/** Original bytes that are kept of a value, and of a key; of more, the first, with size and hash of all. */
const keptBytes = 64 * 1024;
/** Original headers that are kept, together; the number of those left out is told. */
const keptHeaderBytes = 64 * 1024;

/** A record that could not be used, with everything needed to use it later. */
export function deadLetterOf(
  record: RawRecord,
  thrown: unknown,
  from: { pipeline: string; role: string },
  partitions: number,
): OutgoingMessage {
  const headers = keptHeaders(record.headers);
  const value = keep(record.value, "lg", headers);
  const key = keep(record.key, "lg-key", headers);
  headers["lg-reason"] = reasonCodeOf(thrown);
  headers["lg-message"] = reasonOf(thrown).slice(0, 1000);
  headers["lg-pipeline"] = from.pipeline;
  headers["lg-role"] = from.role;
  headers["lg-topic"] = record.topic;
  headers["lg-partition"] = String(record.partition);
  headers["lg-offset"] = String(record.offset);
  headers["lg-timestamp"] = String(record.timestamp);
  return { partition: record.partition % partitions, key, value, headers };
}

/** A dead letter, read again. */
export interface ReadLetter {
  pipeline: string;
  role: string;
  reason: string;
  /** Whether only the first bytes of the value were kept. */
  isCut: boolean;
  /** The record as it stood on its topic. */
  record: RawRecord;
}

export function readDeadLetter(letter: RawRecord): ReadLetter {
  const said = (name: string) => String(letter.headers[`lg-${name}`] ?? "");
  const original = Object.entries(letter.headers).filter(([name]) => !name.startsWith("lg-"));
  return {
    pipeline: said("pipeline"),
    role: said("role"),
    reason: said("reason"),
    isCut: said("size") !== "",
    record: {
      topic: said("topic"),
      partition: Number(said("partition")),
      offset: Number(said("offset")),
      key: letter.key,
      value: letter.value,
      headers: Object.fromEntries(original),
      timestamp: Number(said("timestamp")),
    },
  };
}

/** The first bytes; where there are more, the headers tell size and hash of all. */
function keep(bytes: Buffer | null, mark: string, headers: Record<string, string | Buffer>): Buffer | null {
  if (bytes === null || bytes.length <= keptBytes) return bytes;
  headers[`${mark}-size`] = String(bytes.length);
  headers[`${mark}-sha256`] = createHash("sha256").update(bytes).digest("hex");
  return bytes.subarray(0, keptBytes);
}

function keptHeaders(original: RawRecord["headers"]): Record<string, string | Buffer> {
  const headers: Record<string, string | Buffer> = {};
  let bytes = 0;
  let leftOut = 0;
  for (const [name, held] of Object.entries(original)) {
    // Of a record that was put back from the dead letters by other means: they would pass for this letter's own.
    if (held === undefined || name.startsWith("lg-")) continue;
    const size = Buffer.byteLength(name) + Buffer.byteLength(held);
    if (bytes + size > keptHeaderBytes) leftOut++;
    else {
      headers[name] = held;
      bytes += size;
    }
  }
  if (leftOut > 0) headers["lg-headers-left-out"] = String(leftOut);
  return headers;
}

/** The stable code of why a record could not be used. */
export function reasonCodeOf(thrown: unknown): string {
  return thrown instanceof LogGuardianError ? thrown.code : "LG_UNEXPECTED";
}
