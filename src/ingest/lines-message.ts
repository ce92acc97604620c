import type { KeyedLine } from "./line.ts";

/** Milliseconds before and after all event times: the years 1 to 9999. (avsc mistakes numbers beyond 2^52.) */
export const earliestTime = -62_135_596_800_000;
export const latestTime = 253_402_300_799_999;

/** One partition of one raw topic. The incarnation tells a topic from its successor of the same name. */
export interface RawPartition {
  topic: string;
  incarnation: string;
  partition: number;
}

export interface RawTopic {
  topic: string;
  partitions: number;
}

/**
 * A message of the lines topic: lines of one raw partition for one lines-partition (perhaps none), and how far
 * that raw partition has been read. Lines and progress travel together, so progress can never overtake lines.
 */
export interface LinesChunk {
  kind: "chunk";
  source: RawPartition;
  /** What feeds the pipeline: stream time stands still until each of its partitions has reported once. */
  topics: RawTopic[];
  /** Everything of the source up to and including this position has been sent. */
  through: { offset: number; index: number };
  /** Highest event time of the source so far, or the clock's where the source is idle. Milliseconds. */
  streamTime: number;
  /** Hash of mask profile, options, layout and text template that made `masked`. */
  maskHash: string;
  /** In the order of (offset, index). */
  lines: KeyedLine[];
}

/** Close every window that is open in this lines-partition. */
export interface FlushMark {
  kind: "flush";
  /** Says who asked, for the log. */
  label: string;
}

export type LinesMessage = LinesChunk | FlushMark;

/** Of a chunk's lines; well below Kafka's limit of a batch. */
const maxChunkBytes = 512 * 1024;
/** What a line weighs encoded beside its strings, a string beside its characters, and a character of UTF-16, at most. */
const lineOverhead = 60;
const stringOverhead = 4;
const characterBytes = 3;

/**
 * A chunk as messages of at most 512 kB. Each reports its own lines as taken in, but only the last one moves stream
 * time on: until then lines of the chunk are still to come.
 */
export function splitChunk(chunk: LinesChunk, streamTimeBefore: number): LinesChunk[] {
  const parts: KeyedLine[][] = [[]];
  let bytes = 0;
  for (const line of chunk.lines) {
    const size = mostBytesOf(line);
    if (bytes > 0 && bytes + size > maxChunkBytes) {
      parts.push([]);
      bytes = 0;
    }
    bytes += size;
    parts.at(-1)?.push(line);
  }
  return parts.map((lines, place) => {
    const last = lines.at(-1);
    if (place === parts.length - 1 || last === undefined) return { ...chunk, lines };
    const { offset, index } = last.position;
    return { ...chunk, lines, through: { offset, index }, streamTime: streamTimeBefore };
  });
}

function mostBytesOf({ text, masked, origin, keys }: KeyedLine): number {
  const { host = "", file = "", pod = "", container = "" } = origin;
  let characters = text.length + masked.length + host.length + file.length + pod.length + container.length;
  for (const key of keys) characters += key.length;
  return lineOverhead + (6 + keys.length) * stringOverhead + characters * characterBytes;
}
