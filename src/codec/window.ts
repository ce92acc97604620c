import type { Entry } from "../window/entry.ts";
import type { Window } from "../window/window.ts";
import { lineOf, type WireLine, wireLineOf } from "./lines.ts";
import { createCodec } from "./single-object.ts";

/** Of an encoded window: Kafka's default limit of a batch is 1 MB. */
export const maxWindowBytes = 900_000;
const cutMark = " …[cut]";

const windows = createCodec<Omit<Window, "lines"> & { lines: WireLine[] }>(["window.v1.avsc"]);
const entries = createCodec<Omit<Entry, "seq" | "line"> & { line: WireLine }>(["entry.v1.avsc"]);

/** At most `maxWindowBytes`: raw lines are cut, longest first, then masked ones, and marked as cut. */
export function encodeWindow(window: Window): Buffer {
  const wire = { ...window, lines: window.lines.map(wireLineOf) };
  const whole = windows.encode(wire);
  if (whole.length <= maxWindowBytes) return whole;
  for (const field of ["text", "masked"] as const) {
    // Half the longest length at a time: few rounds, and short lines stay whole.
    let longest = Math.max(...wire.lines.map((line) => line[field].length));
    while (longest > 32) {
      longest >>= 1;
      for (const line of wire.lines)
        if (line[field].length > longest) line[field] = line[field].slice(0, longest) + cutMark;
      const cut = windows.encode(wire);
      if (cut.length <= maxWindowBytes) return cut;
    }
  }
  return windows.encode(wire);
}

/** @throws LogGuardianError LG_MESSAGE_SCHEMA, LG_MESSAGE_DAMAGED. */
export function decodeWindow(bytes: Buffer): Window {
  const { id, pipeline, key, revision, reason, start, end, maskHash, lines } = windows.decode(bytes);
  return { id, pipeline, key, revision, reason, start, end, maskHash, lines: lines.map(lineOf) };
}

export function encodeEntry({ offset, key, line }: Entry): Buffer {
  return entries.encode({ offset, key, line: wireLineOf(line) });
}

/** @throws LogGuardianError LG_MESSAGE_SCHEMA, LG_MESSAGE_DAMAGED. */
export function decodeEntry(seq: number, bytes: Buffer): Entry {
  const { offset, key, line } = entries.decode(bytes);
  return { seq, offset, key, line: lineOf(line) };
}
