import { boundText, maxLineBytes } from "./formats/text.ts";
import type { DecodedLine, Piece, RawRecord } from "./line.ts";

/** A line whose end does not come within so many records of its partition is taken as it is: it is held in memory. */
const mostRecordsBetween = 1_000;
/** Nor is what was written longer after the last piece its continuation: a program that died in a line ends none. */
const mostMsBetween = 1_000;

/** The pieces of one raw partition's lines: container runtimes cut what is longer than 16 kB (CRI's tags P and F). */
export interface Pieces {
  isEmpty(): boolean;
  /**
   * The whole line with its last piece; undefined while more is to come. Pieces that may not belong together stay lines
   * of their own: of an unknown container or file, or that may lie in several partitions, having no key.
   * @param partitions of the topic.
   */
  join(line: DecodedLine, piece: Piece, record: RawRecord, partitions: number): DecodedLine | undefined;
  /** Takes what waits in vain at this offset, or all; each with the record of its newest piece. */
  release(offset?: number): { line: DecodedLine; record: RawRecord }[];
  /** Offset of the oldest piece that waits. */
  oldest(): number | undefined;
}

interface Waiting {
  line: DecodedLine;
  /** Of its newest piece, as is `time`. */
  record: RawRecord;
  time: number;
  begun: number;
}

export function createPieces(): Pieces {
  /** By origin and stream. */
  const waiting = new Map<string, Waiting>();
  /** What another line came after. */
  let broken: Waiting[] = [];

  const isNext = (before: Waiting, time: number, { key }: RawRecord, partitions: number) =>
    Math.abs(time - before.time) <= mostMsBetween && (partitions === 1 || isSame(before.record.key, key));

  return {
    isEmpty: () => waiting.size === 0 && broken.length === 0,
    join(line, { stream, isLast }, record, partitions) {
      const { host, file, pod, container } = line.origin;
      const isKnown = (file ?? pod ?? container) !== undefined;
      if (!isKnown || (partitions > 1 && record.key === null)) return line;
      const name = JSON.stringify([host, file, pod, container, stream]);
      const time = line.time ?? record.timestamp;
      let before = waiting.get(name);
      waiting.delete(name);
      if (before !== undefined && !isNext(before, time, record, partitions)) {
        broken.push(before);
        before = undefined;
      }
      // The time and place in the file are those of the beginning.
      const joined =
        before === undefined ? line : { ...before.line, text: joinedText(before.line.text, line.text) };
      if (isLast) return joined;
      // Not the views into what was fetched with it.
      const own = { ...record, value: null, key: record.key && Buffer.from(record.key), headers: {} };
      waiting.set(name, { line: joined, record: own, time, begun: before?.begun ?? record.offset });
      return undefined;
    },
    release(offset = Number.POSITIVE_INFINITY) {
      const released = broken;
      broken = [];
      for (const [name, one] of waiting) {
        if (offset - one.begun < mostRecordsBetween) continue;
        waiting.delete(name);
        released.push(one);
      }
      return released;
    },
    oldest: () =>
      waiting.size === 0 ? undefined : Math.min(...[...waiting.values()].map(({ begun }) => begun)),
  };
}

function isSame(one: Buffer | null, other: Buffer | null): boolean {
  return one !== null && other !== null && one.equals(other);
}

/** What is cut already takes no more. */
function joinedText(before: string, piece: string): string {
  return Buffer.byteLength(before) > maxLineBytes ? before : boundText(before + piece);
}
