import { describe, expect, it } from "vitest";
import type { RawRecord } from "../../src/ingest/line.ts";
import { OwnedPartition } from "../../src/kafka/partition-worker.ts";
import { rawRecord } from "../support/raw-record.ts";
import { until } from "../support/until.ts";

const records = Array.from({ length: 300 }, (_, offset): RawRecord => ({ ...rawRecord("x"), offset }));

/** A partition whose worker asks for pauses, and what happens in it. */
function owned(pauseMs: () => number) {
  const events: string[] = [];
  const worker = {
    position: 0,
    process: async ({ length }: readonly RawRecord[]) => void events.push(`${length} records`),
    pauseMs,
    commitPoint: () => ({ offset: 0, metadata: "" }),
  };
  const nothing = () => undefined;
  const partition = new OwnedPartition(0, 0, worker, 0, {
    isFull: () => false,
    pause: nothing,
    resume: nothing,
    progress: () => void events.push("progress"),
    failed: nothing,
    lost: nothing,
    rewound: nothing,
  });
  return { events, partition };
}

describe("a partition whose worker asks for a pause", () => {
  it("goes on when it is over, and is alive meanwhile", async () => {
    const pauses = [1, 1, 0, 1, 0];
    const { events, partition } = owned(() => pauses.shift() ?? 0);
    partition.push(records, records.length);
    await until(() => partition.lag() === 0, "all records were processed");
    const expected = [
      "progress",
      "progress",
      "256 records",
      "progress",
      "progress",
      "44 records",
      "progress",
    ];
    expect(events).toEqual(expected);
  });

  it("is not behind meanwhile: nothing is to be done", async () => {
    let pause = 0;
    const { partition } = owned(() => pause);
    expect(partition.isPausing).toBe(false);
    pause = 200;
    partition.push(records, records.length);
    expect(partition.isPausing).toBe(true);
    pause = 0;
    await until(() => partition.lag() === 0, "all records were processed");
    expect(partition.isPausing).toBe(false);
  });

  it("can be given up in the midst of it", async () => {
    const { events, partition } = owned(() => 3_600_000);
    partition.push(records, records.length);
    await partition.revoke();
    expect(events).toEqual(["progress"]);
  });
});
