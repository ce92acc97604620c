import { encodeToFit } from "../cut-to-fit.ts";
import type { Entry } from "../window/entry.ts";
import type { Window } from "../window/window.ts";
import { lineOf, type WireLine, wireLineOf } from "./lines.ts";
import { createCodec } from "./single-object.ts";

/** Of an encoded window: Kafka's default limit of a batch is 1 MB. */
export const maxWindowBytes = 900_000;

const windows = createCodec<Omit<Window, "lines"> & { lines: WireLine[] }>(["window.v1.avsc"]);
const entries = createCodec<Omit<Entry, "seq" | "line"> & { line: WireLine }>(["entry.v1.avsc"]);

/** A window is encoded for Redis and again for Kafka, and never changes. */
const encoded = new WeakMap<Window, Buffer>();

/** At most `maxWindowBytes`: see `encodeToFit`. */
export function encodeWindow(window: Window): Buffer {
  let bytes = encoded.get(window);
  if (bytes === undefined) {
    bytes = encodeBounded(window);
    encoded.set(window, bytes);
  }
  return bytes;
}

function encodeBounded(window: Window): Buffer {
  const wire = { ...window, lines: window.lines.map(wireLineOf) };
  const origins = wire.lines.map(({ origin }) => origin);
  return encodeToFit(wire.lines, origins, () => windows.encode(wire), maxWindowBytes);
}

/** @throws LogGuardianError LG_MESSAGE_SCHEMA, LG_MESSAGE_DAMAGED. */
export function decodeWindow(bytes: Buffer): Window {
  const { id, pipeline, key, revision, reason, start, end, maskHash, lines } = windows.decode(bytes);
  return { id, pipeline, key, revision, reason, start, end, maskHash, lines: lines.map(lineOf) };
}

export function encodeEntry({ offset, key, incarnation, line }: Entry): Buffer {
  return entries.encode({ offset, key, incarnation, line: wireLineOf(line) });
}

/** @throws LogGuardianError LG_MESSAGE_SCHEMA, LG_MESSAGE_DAMAGED. */
export function decodeEntry(seq: number, bytes: Buffer): Entry {
  const { offset, key, incarnation, line } = entries.decode(bytes);
  return { seq, offset, key, incarnation, line: lineOf(line) };
}
