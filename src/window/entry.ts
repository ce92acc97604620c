import type { Line } from "../ingest/line.ts";

/** A line as one window key's open window holds it: a line with two keys is two entries. */
export interface Entry {
  /** Counts the entries of a lines-partition; in the order of their messages. */
  seq: number;
  /** Of the message in the lines-partition that brought the line. */
  offset: number;
  key: string;
  /** Of the line's raw topic: made anew, it begins its offsets again. */
  incarnation: string;
  line: Line;
}

/** What an open line weighs beside its texts. */
const entryOverhead = 400;

/** What an open line costs in memory and in the store, about: the same wherever it is counted. */
export function bytesOf({ key, line }: Entry): number {
  if (line.size !== undefined) return entryOverhead + key.length + line.size;
  const { text, masked, origin } = line;
  const { host = "", file = "", pod = "", container = "" } = origin;
  const texts = [key, text, masked, host, file, pod, container];
  return texts.reduce((bytes, { length }) => bytes + length, entryOverhead);
}
