import { describe, expect, it } from "vitest";
import { createFormat } from "../../src/ingest/formats/index.ts";
import type { RawRecord } from "../../src/ingest/line.ts";
import { createLineMasker, createLineReader } from "../../src/ingest/line-reader.ts";
import { createMasker } from "../../src/mask/masker.ts";
import { createIngester } from "../../src/pipeline/ingester.ts";

const masker = createLineMasker(
  { masker: createMasker({ profile: "logllm" }) },
  { layout: "none", template: "{content}" },
);
const source = { topic: "raw", incarnation: "1", partition: 0 };
const topics = [{ topic: "raw", partitions: 1 }];

function record(
  offset: number,
  log: string,
  logtag: string,
  pod = "a",
  stream = "stdout",
  time = 1.7e9,
): RawRecord {
  const value = Buffer.from(
    JSON.stringify({ "@timestamp": time, log, logtag, stream, kubernetes: pod && { pod_name: pod } }),
  );
  return { topic: "raw", partition: 0, offset, key: null, value, headers: {}, timestamp: Date.now() };
}

function started() {
  const reader = createLineReader({ format: createFormat("auto"), masker }, { key: { kind: "origin" } });
  const ingester = createIngester({ reader }, { partitions: 1 });
  const found: [string, number, number][] = [];
  const keep = (chunks: ReturnType<typeof ingester.idle>) => {
    for (const { message } of chunks)
      for (const { text, position } of message.lines) found.push([text, position.offset, position.index]);
  };
  return {
    found,
    oldest: () => ingester.oldestPiece(source),
    take: async (records: RawRecord[], partitions = 1) =>
      keep((await ingester.ingest(source, records, [{ topic: "raw", partitions }])).chunks),
    idle: () => keep(ingester.idle(source, Date.now(), topics)),
  };
}

describe("lines that a container runtime has cut", () => {
  const cut = [
    record(0, "one ", "P"),
    record(1, "other ", "P", "b"),
    record(2, "two ", "P"),
    record(3, "an error ", "P", "a", "stderr"),
    record(4, "whole", "F", "c"),
    record(5, "three\n", "F"),
    record(6, "end", "F", "b"),
    record(7, "ends", "F", "a", "stderr"),
  ];
  const whole = [
    ["whole", 4, 0],
    ["one two three", 5, 0],
    ["other end", 6, 0],
    ["an error ends", 7, 0],
  ];

  it("are joined by origin and stream, in whatever batches they come", async () => {
    for (const size of [1, 3, 8]) {
      const { take, found } = started();
      for (let from = 0; from < cut.length; from += size) await take(cut.slice(from, from + size));
      expect(found).toEqual(whole);
    }
  });

  it("are read again from their first piece after a crash, and then stand where they stood", async () => {
    const first = started();
    await first.take(cut.slice(0, 6));
    expect(first.oldest()).toBe(1);
    const second = started();
    await second.take(cut.slice(first.oldest()));
    expect(second.found.slice(-2)).toEqual(whole.slice(-2));
    expect(second.oldest()).toBeUndefined();
  });

  it("are taken as they are where the end does not come", async () => {
    const { take, idle, found, oldest } = started();
    await take([record(0, "waits in vain", "P"), record(999, "still", "F", "b")]);
    expect(found.map(([text]) => text)).toEqual(["still"]);
    await take([record(1_000, "later", "F", "b"), record(1_001, "waits, too", "P", "c")]);
    idle();
    expect(found.slice(1)).toEqual([
      ["later", 1_000, 0],
      ["waits in vain", 1_000, 1],
      ["waits, too", 1_001, 1],
    ]);
    expect(oldest()).toBeUndefined();
  });

  it("stay lines of their own where they may not belong together: none is lost", async () => {
    const keyed = (one: RawRecord, key: string) => ({ ...one, key: Buffer.from(key) });
    const p = record(0, "begins ", "P");
    const f = record(1, "a line", "F");
    const cases: [RawRecord[], number, string[]][] = [
      // Of no origin that is known.
      [[record(0, "begins ", "P", ""), record(1, "a line", "F", "")], 1, ["begins ", "a line"]],
      // The end may lie in another partition.
      [[p, f], 2, ["begins ", "a line"]],
      [[keyed(p, "k"), keyed(f, "k")], 2, ["begins a line"]],
      [[keyed(p, "k"), keyed(f, "other")], 2, ["a line", "begins "]],
      // The program died, and another one began.
      [[p, record(1, "a line", "F", "a", "stdout", 1.7e9 + 2)], 1, ["a line", "begins "]],
    ];
    for (const [records, partitions, texts] of cases) {
      const { take, found, oldest } = started();
      await take(records, partitions);
      expect(found.map(([text]) => text)).toEqual(texts);
      expect(oldest()).toBeUndefined();
    }
  });

  it("take no more memory than one line", async () => {
    const { take, found } = started();
    await take(Array.from({ length: 50 }, (_, offset) => record(offset, "x".repeat(16_000), "P")));
    await take([record(50, "end", "F")]);
    expect(found.map(([text]) => text.length)).toEqual(["x".repeat(8192).length + " …[cut]".length]);
  });
});
