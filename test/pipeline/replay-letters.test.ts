import { expect, it } from "vitest";
import { LogGuardianError } from "../../src/errors.ts";
import type { RawRecord } from "../../src/ingest/line.ts";
import { deadLetterOf } from "../../src/kafka/dead-letters.ts";
import { readLetters } from "../../src/pipeline/replay-letters.ts";

const original = (of: Partial<RawRecord>): RawRecord => ({
  topic: "raw",
  partition: 0,
  offset: 7,
  key: null,
  value: Buffer.from("{"),
  headers: {},
  timestamp: 1,
  ...of,
});

/** The letter of a record, as it is read from its topic. */
function letterOf(record: RawRecord, forged: Record<string, string> = {}): RawRecord {
  const error = new LogGuardianError("LG_RECORD_JSON", "Not JSON.", "Look.");
  const { headers = {}, value } = deadLetterOf(record, error, { pipeline: "p", role: "ingester" }, 1);
  return { ...original({ topic: "dead-letters", value }), headers: { ...headers, ...forged } };
}

const read = (letters: RawRecord[]) => {
  const range = { topic: "dead-letters", partition: 0, from: 0, end: letters.length };
  const batches = (async function* () {
    yield letters;
  })();
  return readLetters(
    { ranges: [{ range, batches }], close: async () => undefined },
    { pipeline: "p", reason: undefined },
  );
};

it("dead letters are read once each, and those that cannot be replayed are counted by why", async () => {
  const { records, leftOut } = await read([
    letterOf(original({})),
    letterOf(original({})),
    letterOf(original({ offset: 8, value: Buffer.alloc(100_000) })),
    letterOf(original({ offset: 9, headers: { "lg-size": "3", own: "kept" } })),
    // The topic was made anew, and its new record stands where the former one stood.
    letterOf(original({ timestamp: 5, value: Buffer.from("new") })),
    letterOf(original({}), { "lg-partition": "1000000000" }),
    letterOf(original({}), { "lg-offset": "many" }),
  ]);
  expect(records.map(({ offset, value }) => [offset, String(value)])).toEqual([
    [7, "new"],
    [9, "{"],
  ]);
  expect(records[1]?.headers).toEqual({ own: "kept" });
  expect(leftOut).toEqual({ cut: 1, former: 1, foreign: 2 });
});
