import { describe, expect, it } from "vitest";
import { decodeLines, encodeLines } from "../../src/codec/lines.ts";
import { LogGuardianError } from "../../src/errors.ts";
import { createFormat } from "../../src/ingest/formats/index.ts";
import { mostKeys } from "../../src/ingest/keys.ts";
import type { RawRecord } from "../../src/ingest/line.ts";
import { createLineMasker, createLineReader } from "../../src/ingest/line-reader.ts";
import { earliestTime, type LinesChunk, splitChunk } from "../../src/ingest/lines-message.ts";
import { createMasker } from "../../src/mask/masker.ts";
import { createIngester } from "../../src/pipeline/ingester.ts";
import { decodedKeyedLine } from "../support/decoded.ts";

const masker = createLineMasker(
  { masker: createMasker({ profile: "logllm", custom: [] }) },
  { layout: "none", template: "{content}" },
);
const source = { topic: "raw", incarnation: "1", partition: 0 };
const now = Date.now();

function record(content: Record<string, unknown>, of: Partial<RawRecord> = {}): RawRecord {
  const value = Buffer.from(JSON.stringify(content));
  return { topic: "raw", partition: 0, offset: 0, key: null, value, headers: {}, timestamp: now, ...of };
}

async function ingest(records: RawRecord[], pattern?: string) {
  const key = pattern === undefined ? { kind: "origin" as const } : { kind: "pattern" as const, pattern };
  const reader = createLineReader({ format: createFormat("filebeat"), masker }, { key });
  const ingested = await createIngester({ reader }, { partitions: 1 }).ingest(source, records, [
    { topic: "raw", partitions: 1 },
  ]);
  const chunk = ingested.chunks[0]?.message as LinesChunk;
  return {
    ...ingested,
    parts: splitChunk(chunk, earliestTime).map((part) => ({ part, bytes: encodeLines(part) })),
  };
}

describe("a lines message", () => {
  it("stays far below Kafka's limit when short lines have long origins, keys and characters of several bytes", async () => {
    const long = "näme-".repeat(100);
    const records = Array.from({ length: 6_000 }, (_, offset) =>
      record(
        {
          message: "up",
          host: { name: long },
          container: { id: long },
          kubernetes: { pod: { name: long } },
          log: { file: { path: long }, offset },
        },
        { offset },
      ),
    );
    const { parts, lines } = await ingest(records);
    expect(lines).toBe(6_000);
    expect(parts.flatMap(({ part }) => part.lines).length).toBe(6_000);
    for (const { bytes } of parts) expect(bytes.length).toBeLessThan(600_000);
  });

  it("holds a line of thousands of session ids, with as many keys as a line may have", async () => {
    const message = Array.from({ length: 2_500 }, (_, place) => place.toString(36)).join(" ");
    const { parts, leftOutKeys } = await ingest([record({ message })], "\\w+");
    expect(parts[0]?.part.lines[0]?.keys.length).toBe(mostKeys);
    expect(leftOutKeys).toBeGreaterThan(1_000);
    expect(parts[0]?.bytes.length).toBeLessThan(600_000);
  });
});

describe("times and offsets that no message can carry", () => {
  const timesOf = async (records: RawRecord[]) => {
    const { parts, clampedTimes, deadLetters } = await ingest(records);
    expect(deadLetters).toEqual([]);
    const read = parts.flatMap(({ bytes }) => (decodeLines(bytes) as LinesChunk).lines.map(decodedKeyedLine));
    expect(read).toEqual(parts.flatMap(({ part }) => part.lines));
    return { times: read.map(({ time }) => time), clampedTimes, read };
  };

  it("are set to what it can carry, or left out", async () => {
    const path = { file: { path: "/a" } };
    const { read } = await timesOf([
      record({ message: "x", log: { ...path, offset: Number.MAX_SAFE_INTEGER } }),
    ]);
    expect(read[0]?.fileOffset).toBeUndefined();
    const { times } = await timesOf([record({ message: "x", "@timestamp": "0000-01-01T00:00:00Z" })]);
    expect(times).toEqual([earliestTime]);
  });

  it.each([9e18, -9e18, -1])("give way to the ingester's clock where Kafka says %d", async (timestamp) => {
    const { times } = await timesOf([record({ message: "x" }, { timestamp })]);
    expect(times[0]).toBeGreaterThanOrEqual(now);
    expect(times[0]).toBeLessThan(now + 60_000);
  });

  it("never run ahead of the ingester's clock, though the record's own time does", async () => {
    const wrong = now + 24 * 3_600_000;
    const at = new Date(wrong).toISOString();
    const { times, clampedTimes } = await timesOf([
      record({ message: "x", "@timestamp": at }, { timestamp: wrong }),
    ]);
    expect(times[0]).toBeLessThan(now + 60_000);
    expect(clampedTimes).toBe(1);
  });
});

it("a batch that no one can read is a dead letter with its reason", async () => {
  const error = new LogGuardianError(
    "LG_KAFKA_BATCH_SIZE",
    "A GZIP batch is too large.",
    "Find who sent it.",
  );
  const bad = { ...record({}), value: null, unreadable: { error, records: 2 } };
  const { deadLetters, lines } = await ingest([bad, record({ message: "up" }, { offset: 2 })]);
  expect(deadLetters).toEqual([{ record: bad, error }]);
  expect(lines).toBe(1);
});

it("a date without a year is told by the ingester's clock where Kafka gives no time", async () => {
  const reader = createLineReader({ format: createFormat("syslog"), masker }, { key: { kind: "origin" } });
  for (const timestamp of [1.795e18, -1]) {
    const value = Buffer.from("<34>Jan  1 00:00:00 n1 su: up");
    const [line] = reader.read({ ...record({}), value, timestamp }).lines;
    expect(Math.abs((line?.time ?? 0) - now)).toBeLessThan(367 * 24 * 3_600_000);
  }
});

it("lines that take long to mask let others have their turn", async () => {
  const costly = Array.from({ length: 80 }, (_, offset) =>
    record({ message: "one".repeat(680), log: { file: { path: "/a" }, offset } }, { offset }),
  );
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const { lines } = await ingest(costly);
  clearInterval(timer);
  expect(lines).toBe(80);
  expect(turns).toBeGreaterThan(1);
});
