import { createHash } from "node:crypto";
import type { Masker } from "../mask/masker.ts";
import type { Choice, RecordFormat } from "./formats/format.ts";
import { createKeys, type KeySpec } from "./keys.ts";
import { createLayout, type LayoutSpec, render } from "./layouts.ts";
import type { DecodedLine, KeyedLine, Position, RawRecord } from "./line.ts";
import { earliestTime } from "./lines-message.ts";
import type { Pieces } from "./pieces.ts";

/** A line's time may be at most this far ahead of the clock here and of its record's; wrong clocks exist. */
const maxAheadMs = 5 * 60_000;
/** Avro's library mistakes integers beyond. */
const largestLong = 2 ** 52;

/** What the model sees of a line: the text template of its layout's fields, masked. */
export interface LineMasker {
  mask(
    text: string,
    /** about when it was written, for times without a year; milliseconds */ near?: number,
  ): { masked: string /** as the header gives it, milliseconds */; time?: number };
  /** Of everything that changes what `masked` holds. */
  readonly hash: string;
}

/** @throws LogGuardianError LG_LAYOUT_PATTERN. */
export function createLineMasker(
  deps: { masker: Masker },
  options: { layout: LayoutSpec /** the bundle's text template */; template: string },
): LineMasker {
  const layout = createLayout(options.layout);
  const hash = createHash("sha256")
    .update(JSON.stringify([deps.masker.hash, options.layout, options.template]))
    .digest("hex")
    .slice(0, 16);
  return {
    hash,
    mask(text, near) {
      const parsed = layout.parse(text, near) ?? { fields: { content: text } };
      const masked = deps.masker.mask(render(options.template, parsed.fields));
      return "time" in parsed && parsed.time !== undefined ? { masked, time: parsed.time } : { masked };
    },
  };
}

/** The lines of a record, and what of them could not be kept. */
export interface LinesRead {
  lines: KeyedLine[];
  /** Those of them that have the record's time, having none of their own that is possible; absent where all have one. */
  undated?: ReadonlySet<KeyedLine>;
  /** Lines whose time was impossible or too far ahead, and was set to the nearest possible or the record's. */
  clampedTimes: number;
  /** Window keys beyond `mostKeys` of a line. */
  leftOutKeys: number;
}

/** Who is told how a record was read. */
export interface ReadObserver {
  onChoice(choice: Choice): void;
  /** For each line: who gave its time, and which, before it was set to a possible one. */
  onTime(from: TimeFrom, given: number): void;
}

export type TimeFrom = "header" | "shipper" | "record";

/** Everything between a record and its keyed, masked lines. */
export interface LineReader {
  /** Fetches what reading these records takes, such as schemas; waits as long as it must. */
  prepare(records: readonly RawRecord[]): Promise<void>;
  /**
   * @param options.pieces of the record's raw partition, where lines that were cut are to be joined; `partitions`: of its topic.
   * @throws LogGuardianError LG_RECORD_* when the record belongs into the dead letters.
   */
  read(
    record: RawRecord,
    options?: { observer?: ReadObserver; pieces?: Pieces; partitions?: number },
  ): LinesRead;
  /** A line that was decoded from this record, and taken in at this position. */
  place(line: DecodedLine, record: RawRecord, position: Position): LinesRead;
  /** Hash of everything that changes what `masked` holds. */
  readonly maskHash: string;
}

/** @throws LogGuardianError LG_KEY_PATTERN. */
export function createLineReader(
  deps: { format: RecordFormat; masker: LineMasker },
  options: { key: KeySpec },
): LineReader {
  const { format } = deps;
  const keysOf = createKeys(options.key);

  function add(
    read: Reading,
    decoded: DecodedLine,
    record: RawRecord,
    recordTime: number,
    position: Position,
    observer?: ReadObserver,
  ): void {
    const { masked, time: headerTime } = deps.masker.mask(decoded.text, recordTime);
    const { keys, leftOut } = keysOf(decoded, record);
    const [from, given] = givenTime(headerTime, decoded.time, recordTime);
    observer?.onTime(from, given);
    const isDated = from !== "record" && given <= recordTime + maxAheadMs;
    const time = isDated ? Math.max(earliestTime, given) : recordTime;
    if (from !== "record" && time !== given) read.clampedTimes++;
    read.leftOutKeys += leftOut;
    const { origin, text, fileOffset } = decoded;
    const line: KeyedLine = { position, time, origin, text, masked, keys };
    if (fileOffset !== undefined && Math.abs(fileOffset) < largestLong) line.fileOffset = fileOffset;
    read.lines.push(line);
    if (isDated) return;
    read.undated ??= new Set();
    read.undated.add(line);
  }

  return {
    maskHash: deps.masker.hash,
    prepare: async (records) => format.prepare?.(records),
    place(line, record, position) {
      const read = noLines();
      add(read, line, record, timeOfRecord(record.timestamp), position);
      return read;
    },
    read(record, { observer, pieces, partitions = 1 } = {}) {
      if (record.unreadable !== undefined) throw record.unreadable.error;
      const timestamp = timeOfRecord(record.timestamp);
      const dated = timestamp === record.timestamp ? record : { ...record, timestamp };
      const decoded = format.decode(dated, observer?.onChoice);
      const read = noLines();
      const { topic, partition, offset } = record;
      for (const [index, one] of decoded.entries()) {
        const line = one.piece && pieces ? pieces.join(one, one.piece, record, partitions) : one;
        // What waits for its end leaves the others their index.
        if (line !== undefined)
          add(read, line, record, timestamp, { topic, partition, offset, index }, observer);
      }
      if (pieces === undefined || pieces.isEmpty()) return read;
      for (const [place, { line, record: from }] of pieces.release(offset).entries()) {
        const position = { topic, partition, offset, index: decoded.length + place };
        add(read, line, from, timeOfRecord(from.timestamp), position, observer);
      }
      return read;
    },
  };
}

interface Reading extends LinesRead {
  undated?: Set<KeyedLine>;
}

const noLines = (): Reading => ({ lines: [], clampedTimes: 0, leftOutKeys: 0 });

/** The header's time where the layout knows it, else the shipper's, else the topic's. */
function givenTime(
  header: number | undefined,
  shipper: number | undefined,
  record: number,
): [TimeFrom, number] {
  if (header !== undefined && Number.isFinite(header)) return ["header", header];
  if (shipper !== undefined && Number.isFinite(shipper)) return ["shipper", shipper];
  return ["record", record];
}

/** Filebeat stamps its records with its own clock, which may be wrong; -1 is Kafka's sign for no time at all. */
function timeOfRecord(timestamp: number): number {
  const now = Date.now();
  return timestamp === -1 || timestamp < earliestTime ? now : Math.min(timestamp, now);
}
