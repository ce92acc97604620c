import type { RawRecord } from "../../src/ingest/line.ts";

/** A record of which only the value matters. */
export function rawRecord(value: string | Uint8Array | null, timestamp = Date.now()): RawRecord {
  return {
    topic: "t",
    partition: 0,
    offset: 0,
    key: null,
    value: value === null ? null : Buffer.from(value),
    headers: {},
    timestamp,
  };
}
