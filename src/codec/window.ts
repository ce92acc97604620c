import { encodeToFit } from "../cut-to-fit.ts";
import type { Entry } from "../window/entry.ts";
import type { Window } from "../window/window.ts";
import { decodedLine, readEncodedLine, readLine, writeLine } from "./line.ts";
import { createCodec } from "./single-object.ts";

/** Of an encoded window: Kafka's default limit of a batch is 1 MB. */
export const maxWindowBytes = 900_000;

const windows = createCodec<Window>(["window.v2.avsc", "window.v1.avsc"], {
  write({ id, pipeline, key, revision, reason, start, end, maskHash, lines, formerIds }, to) {
    to.string(id);
    to.string(pipeline);
    to.string(key);
    to.long(revision);
    to.string(reason);
    to.long(start);
    to.long(end);
    to.string(maskHash);
    to.array(lines, (line) => writeLine(to, line));
    to.array(formerIds, (former) => to.string(former));
  },
  read: (from) => ({
    id: from.string(),
    pipeline: from.string(),
    key: from.string(),
    revision: from.long(),
    reason: from.string() as Window["reason"],
    start: from.long(),
    end: from.long(),
    maskHash: from.string(),
    lines: from.array(() => readLine(from)),
    formerIds: from.array(() => from.string()),
  }),
});

const entries = createCodec<Omit<Entry, "seq">>(["entry.v1.avsc"], {
  write({ offset, key, incarnation, line }, to) {
    to.long(offset);
    to.string(key);
    to.string(incarnation);
    writeLine(to, line);
  },
  read: (from) => ({
    offset: from.long(),
    key: from.string(),
    incarnation: from.string(),
    line: readEncodedLine(from),
  }),
});

/** A window is encoded for Redis and again for Kafka, and never changes. */
const encoded = new WeakMap<Window, Buffer>();

/** At most `maxWindowBytes`: see `encodeToFit`. */
export function encodeWindow(window: Window): Buffer {
  let bytes = encoded.get(window);
  if (bytes === undefined) {
    bytes = windows.encode(window);
    if (bytes.length > maxWindowBytes) bytes = encodeCut(window);
    encoded.set(window, bytes);
  }
  return bytes;
}

function encodeCut(window: Window): Buffer {
  const lines = window.lines.map((line) => ({ ...decodedLine(line), origin: { ...line.origin } }));
  const origins = lines.map(({ origin }) => origin);
  return encodeToFit(lines, origins, () => windows.encode({ ...window, lines }), maxWindowBytes);
}

/** @throws LogGuardianError LG_MESSAGE_SCHEMA, LG_MESSAGE_DAMAGED. */
export function decodeWindow(bytes: Buffer): Window {
  return windows.decode(bytes);
}

export function encodeEntry(entry: Entry): Buffer {
  return entries.encode(entry);
}

/** @throws LogGuardianError LG_MESSAGE_SCHEMA, LG_MESSAGE_DAMAGED. */
export function decodeEntry(seq: number, bytes: Buffer): Entry {
  return { seq, ...entries.decode(bytes) };
}
