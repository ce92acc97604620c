import { TextDecoder } from "node:util";
import type { RawRecord } from "../line.ts";
import type { RecordFormat } from "./format.ts";

/** Of one line in UTF-8; what is longer is cut and marked. */
export const maxLineBytes = 8192;
/** Bytes of UTF-8. */
const longestCharacter = 4;
/** Of one unit of a string. */
const mostUnitBytes = 3;
const cutMark = " …[cut]";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** One line as it was written: UTF-8, or latin-1 where it is not valid UTF-8 (old systems log it). */
export const text: RecordFormat = {
  name: "text",
  decode(record) {
    if (record.value === null || record.value.length === 0) return [];
    return [{ text: decodeText(record.value), origin: record.origin ?? {}, ...offsetOf(record) }];
  },
};

export function decodeText(bytes: Buffer): string {
  // Enough for boundText to see that it is too long.
  const kept = beginning(bytes, maxLineBytes + longestCharacter);
  try {
    return boundText(utf8.decode(kept));
  } catch {
    return boundText(kept.toString("latin1"));
  }
}

/** Trims a decoded line's end, and cuts it at the limit. */
export function boundText(line: string): string {
  const trimmed = trimEnd(line);
  if (trimmed.length * mostUnitBytes <= maxLineBytes || Buffer.byteLength(trimmed) <= maxLineBytes)
    return trimmed;
  return beginning(Buffer.from(trimmed.slice(0, maxLineBytes)), maxLineBytes).toString() + cutMark;
}

/** At most so many bytes of UTF-8, no character halved. */
function beginning(bytes: Buffer, most: number): Buffer {
  let end = Math.min(bytes.length, most);
  for (let back = 1; back < longestCharacter && isWithinCharacter(bytes[end]); back++) end--;
  return bytes.subarray(0, end);
}

function isWithinCharacter(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** One trailing line end, with or without a carriage return. */
function trimEnd(line: string): string {
  return line.endsWith("\n") || line.endsWith("\r") ? line.replace(/\r?\n$|\r$/, "") : line;
}

function offsetOf({ fileOffset }: RawRecord): { fileOffset?: number } {
  return fileOffset === undefined ? {} : { fileOffset };
}
