import { describe, expect, it } from "vitest";
import { createFormat } from "../../src/ingest/formats/index.ts";
import type { RawRecord } from "../../src/ingest/line.ts";
import { createLineMasker, createLineReader } from "../../src/ingest/line-reader.ts";
import { createMasker } from "../../src/mask/masker.ts";
import { createIngester } from "../../src/pipeline/ingester.ts";
import { createRawPartitionWorker } from "../../src/pipeline/roles/raw-partition.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";

function record(offset: number, logtag: string): RawRecord {
  const value = Buffer.from(
    JSON.stringify({ log: `line ${offset}`, logtag, stream: "stdout", path: "/var/log/a" }),
  );
  return { topic: "raw", partition: 0, offset, key: null, value, headers: {}, timestamp: Date.now() };
}

function worker() {
  const masker = createLineMasker(
    { masker: createMasker({ profile: "logllm" }) },
    { layout: "none", template: "{content}" },
  );
  const reader = createLineReader(
    { format: createFormat("fluent-bit"), masker },
    { key: { kind: "origin" } },
  );
  let acknowledge: () => void = () => undefined;
  const owned = createRawPartitionWorker({
    source: { topic: "raw", incarnation: "1", partition: 0 },
    position: 10,
    metadata: "",
    ingester: createIngester({ reader }, { partitions: 1 }),
    rawTopics: () => [{ topic: "raw", partitions: 1 }],
    send: () =>
      new Promise((resolve) => {
        acknowledge = resolve;
      }),
    bury: async () => undefined,
    endOf: async () => undefined,
    metrics: createMetrics(),
    pipeline: "any",
    idleAfterMs: 1_000,
    linesPerSecond: undefined,
  });
  const process = async (records: RawRecord[]) => {
    const processed = owned.process(records);
    // Until it waits for Kafka.
    await new Promise(setImmediate);
    const meanwhile = owned.commitPoint().offset;
    acknowledge();
    await processed;
    return [meanwhile, owned.commitPoint().offset];
  };
  return { process };
}

describe("the commit point of a raw partition", () => {
  it("passes no record that is on its way, and no piece of a line whose end is", async () => {
    const { process } = worker();
    expect(await process([record(10, "F"), record(11, "P"), record(12, "P")])).toEqual([10, 11]);
    expect(await process([record(13, "F"), record(14, "F")])).toEqual([11, 15]);
  });
});
