import type { Line } from "../ingest/line.ts";

/** A line as one window key's open window holds it: a line with two keys is two entries. */
export interface Entry {
  /** Counts the entries of a lines-partition; in the order of their messages. */
  seq: number;
  /** Of the message in the lines-partition that brought the line. */
  offset: number;
  key: string;
  line: Line;
}
