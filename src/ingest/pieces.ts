import { boundText, maxLineBytes } from "./formats/text.ts";
import { originKey } from "./keys.ts";
import type { DecodedLine, RawRecord } from "./line.ts";

/** A line whose end does not come within so many records of its partition is taken as it is: it is held in memory. */
const mostRecordsBetween = 1_000;

/** The pieces of one raw partition's lines: container runtimes cut what is longer than 16 kB (CRI's tags P and F). */
export interface Pieces {
  isEmpty(): boolean;
  /** The whole line with its last piece; undefined while more is to come. */
  join(line: DecodedLine, record: RawRecord): DecodedLine | undefined;
  /** Takes what waits in vain at this offset, or all; each with the record of its newest piece. */
  release(offset?: number): { line: DecodedLine; record: RawRecord }[];
  /** Offset of the oldest piece that waits. */
  oldest(): number | undefined;
}

export function createPieces(): Pieces {
  /** By origin and stream, the one that began first in front. */
  const waiting = new Map<string, { line: DecodedLine; record: RawRecord; begun: number }>();
  return {
    isEmpty: () => waiting.size === 0,
    join({ piece, ...line }, record) {
      const name = `${originKey(line.origin)} ${piece?.stream}`;
      const before = waiting.get(name);
      // The time and place in the file are those of the beginning.
      const joined: DecodedLine =
        before === undefined ? line : { ...before.line, text: joinedText(before.line.text, line.text) };
      if (piece?.isLast !== false) {
        waiting.delete(name);
        return joined;
      }
      waiting.set(name, {
        line: joined,
        // Not the views into what was fetched with it.
        record: { ...record, value: null, key: record.key && Buffer.from(record.key), headers: {} },
        begun: before?.begun ?? record.offset,
      });
      return undefined;
    },
    release(offset = Number.POSITIVE_INFINITY) {
      const released: { line: DecodedLine; record: RawRecord }[] = [];
      for (const [name, { line, record, begun }] of waiting) {
        if (offset - begun < mostRecordsBetween) break;
        waiting.delete(name);
        released.push({ line, record });
      }
      return released;
    },
    oldest() {
      const [first] = waiting.values();
      return first?.begun;
    },
  };
}

/** What is cut already takes no more. */
function joinedText(before: string, piece: string): string {
  return Buffer.byteLength(before) > maxLineBytes ? before : boundText(before + piece);
}
