import type { LogGuardianError } from "../errors.ts";

/** One record as a source hands it over, before anything about its shape is known. */
export interface RawRecord {
  /** Kafka topic, or the file's path, or `stdin`. */
  topic: string;
  partition: number;
  /** Kafka offset, or the line's number in its file (from 0). */
  offset: number;
  key: Buffer | null;
  /** null is a Kafka tombstone. */
  value: Buffer | null;
  headers: Record<string, string | Buffer | undefined>;
  /** Milliseconds since the epoch, as the source stamped it. */
  timestamp: number;
  /**
   * Of a line of a file, whose lines are read in order: its time where neither it nor one beside it has any. Without it a
   * line without a time takes `timestamp`.
   */
  undated?: number;
  /** What the source itself knows of where the line was written (a file knows its path). */
  origin?: Origin;
  /** Byte offset in the origin's file, where the source knows it. */
  fileOffset?: number;
  /** Of the first record of a batch that could not be unpacked; the others are tombstones. */
  unreadable?: UnreadableBatch;
}

/** Records that no one can read, all of them together. */
export interface UnreadableBatch {
  error: LogGuardianError;
  records: number;
}

/** Where a line was written. Bounded in number, unlike window keys. */
export interface Origin {
  host?: string;
  file?: string;
  pod?: string;
  container?: string;
}

/** Where a line came from: unique for ever within one incarnation of a topic. */
export interface Position {
  topic: string;
  partition: number;
  offset: number;
  /** Index of the line within its record: one OTLP record carries many lines. */
  index: number;
}

/** What a record format knows of one line. */
export interface DecodedLine {
  text: string;
  /** The shipper's event time in milliseconds since the epoch, if it gave one. */
  time?: number;
  origin: Origin;
  /** Byte offset in the origin's file, as the shipper gave it. */
  fileOffset?: number;
  /** Of a line that a container runtime may have cut. */
  piece?: Piece;
}

/** Where a line goes on, and whether this is its end. */
export interface Piece {
  stream: string;
  isLast: boolean;
}

/** One log message, decoded, masked and placed: what windows are made of. */
export interface Line {
  position: Position;
  /** Event time, milliseconds since the epoch. */
  time: number;
  origin: Origin;
  fileOffset?: number | undefined;
  /** The line as it was written. */
  text: string;
  /** The bundle's text template of the line with its variable parts masked: what the model sees. */
  masked: string;
  /** Bytes of all this, where that is known without looking at it. */
  readonly size?: number;
}

/** A line with the windows it belongs to, which hold it as a line. Never without a key. */
export interface KeyedLine extends Line {
  keys: string[];
}
