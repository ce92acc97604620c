import type { Line } from "../ingest/line.ts";

/** By event time, then file, then the shipper's file offset, then position. */
export function inScoringOrder(a: Line, b: Line): number {
  return (
    a.time - b.time ||
    compare(a.origin.file ?? "", b.origin.file ?? "") ||
    (a.fileOffset ?? 0) - (b.fileOffset ?? 0) ||
    compare(a.position.topic, b.position.topic) ||
    a.position.partition - b.position.partition ||
    a.position.offset - b.position.offset ||
    a.position.index - b.position.index
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
