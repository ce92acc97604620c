import { createHash } from "node:crypto";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { RawRecord } from "../ingest/line.ts";
import type { OutgoingMessage } from "./sender.ts";

/** Original bytes that are kept; of more, the first, with size and hash of all. */
const keptBytes = 64 * 1024;

/** A record that could not be used, with everything needed to use it later. */
export function deadLetterOf(
  record: RawRecord,
  thrown: unknown,
  from: { pipeline: string; role: string },
  partitions: number,
): OutgoingMessage {
  const { value } = record;
  const headers: Record<string, string | Buffer> = {};
  for (const [name, held] of Object.entries(record.headers)) if (held !== undefined) headers[name] = held;
  headers["lg-reason"] = reasonCodeOf(thrown);
  headers["lg-message"] = reasonOf(thrown).slice(0, 1000);
  headers["lg-pipeline"] = from.pipeline;
  headers["lg-role"] = from.role;
  headers["lg-topic"] = record.topic;
  headers["lg-partition"] = String(record.partition);
  headers["lg-offset"] = String(record.offset);
  headers["lg-timestamp"] = String(record.timestamp);
  if (value !== null && value.length > keptBytes) {
    headers["lg-size"] = String(value.length);
    headers["lg-sha256"] = createHash("sha256").update(value).digest("hex");
  }
  return {
    partition: record.partition % partitions,
    key: record.key,
    value: value?.subarray(0, keptBytes) ?? null,
    headers,
  };
}

/** The stable code of why a record could not be used. */
export function reasonCodeOf(thrown: unknown): string {
  return thrown instanceof LogGuardianError ? thrown.code : "LG_UNEXPECTED";
}
