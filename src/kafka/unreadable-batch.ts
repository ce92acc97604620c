import { randomBytes } from "node:crypto";
import { LogGuardianError } from "../errors.ts";
import type { UnreadableBatch } from "../ingest/line.ts";

/** Where a batch of format 2 says what, in the bytes before its records (Kafka protocol, "Record Batch"). */
const head = { bytes: 61, firstOffset: 0, length: 8, magic: 16, lastOffsetDelta: 23, count: 57 };
/** `length` counts from here. */
const afterLength = 12;
/** Records that a stand-in is made for: each becomes an object of 300 bytes. */
const mostRecords = 500_000;
/** Nobody else can write it. */
const mark = randomBytes(16);

/**
 * A batch's records without what was in them, the first of which says why: kafkajs throws a whole fetch away where one
 * batch of it cannot be unpacked, and never gets past it. `packed` is a view into that fetch, with the batch's head
 * before it. undefined where it is not, or says what no broker accepts.
 */
export function standIn(packed: Buffer, error: LogGuardianError): Buffer | undefined {
  if (packed.byteOffset < head.bytes) return undefined;
  const before = Buffer.from(packed.buffer, packed.byteOffset - head.bytes, head.bytes);
  const isHead =
    before[head.magic] === 2 && before.readInt32BE(head.length) === head.bytes - afterLength + packed.length;
  const records = before.readInt32BE(head.count);
  if (!isHead || records < 1 || records > mostRecords) return undefined;
  const first = Number(before.readBigInt64BE(head.firstOffset));
  const lastDelta = before.readInt32BE(head.lastOffsetDelta);
  const said = {
    code: error.code,
    message: `${error.message} Its offsets ${first} to ${first + lastDelta} are left out.`,
    remedy: error.remedy,
    records,
  };
  const value = Buffer.concat([mark, Buffer.from(JSON.stringify(said))]);
  return Buffer.concat(
    Array.from({ length: records }, (_, place) =>
      recordOf(place === records - 1 ? lastDelta : place, place === 0 ? value : undefined),
    ),
  );
}

/** What a stand-in's first record says; undefined of any other. */
export function unreadableIn(value: Buffer | null): UnreadableBatch | undefined {
  if (value === null || !value.subarray(0, mark.length).equals(mark)) return undefined;
  const { code, message, remedy, records } = JSON.parse(value.toString("utf8", mark.length));
  return { error: new LogGuardianError(code, message, remedy), records };
}

/** With no key and no headers. */
function recordOf(offsetDelta: number, value: Buffer | undefined): Buffer {
  const content = Buffer.concat([
    // attributes, and the first record's time
    Buffer.from([0, 0]),
    varint(offsetDelta),
    varint(-1),
    varint(value?.length ?? -1),
    value ?? Buffer.alloc(0),
    varint(0),
  ]);
  return Buffer.concat([varint(content.length), content]);
}

/** Zigzag, seven bits a byte, the lowest first. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
