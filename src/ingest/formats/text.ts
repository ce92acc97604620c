import { TextDecoder } from "node:util";
import type { RawRecord } from "../line.ts";
import type { RecordFormat } from "./format.ts";

/** Of one line; what is longer is cut and marked. */
export const maxLineBytes = 8192;
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
  const isLong = bytes.length > maxLineBytes;
  const kept = isLong ? bytes.subarray(0, maxLineBytes) : bytes;
  let line: string;
  try {
    line = utf8.decode(kept, { stream: false });
  } catch {
    // A cut may fall inside a character; only whole text tells whether the line is UTF-8 at all.
    line = isLong ? new TextDecoder("utf-8").decode(kept) : kept.toString("latin1");
  }
  return isLong ? line + cutMark : trimEnd(line);
}

/** Cuts a decoded line at the limit and trims its line end. */
export function boundText(line: string): string {
  return line.length > maxLineBytes ? line.slice(0, maxLineBytes) + cutMark : trimEnd(line);
}

/** One trailing line end, with or without a carriage return. */
function trimEnd(line: string): string {
  return line.replace(/\r?\n$|\r$/, "");
}

function offsetOf({ fileOffset }: RawRecord): { fileOffset?: number } {
  return fileOffset === undefined ? {} : { fileOffset };
}
