import { describe, expect, it } from "vitest";
import { LogGuardianError } from "../../src/errors.ts";
import { deadLetterOf } from "../../src/kafka/dead-letters.ts";
import { roundsOf } from "../../src/kafka/sender.ts";

const letterOf = (of: { key?: Buffer; value?: Buffer; headers?: Record<string, string> }) =>
  deadLetterOf(
    { topic: "raw", partition: 4, offset: 7, key: null, value: null, headers: {}, timestamp: 1, ...of },
    new LogGuardianError("LG_RECORD_JSON", "Not JSON.", "Look."),
    { pipeline: "p", role: "ingester" },
    3,
  );

describe("a dead letter", () => {
  it("keeps key, value and headers as they were", () => {
    const original = { key: Buffer.from("k"), value: Buffer.from("v"), headers: { trace: "1" } };
    const { partition, key, value, headers } = letterOf(original);
    expect({ partition, key, value }).toEqual({ partition: 1, key: original.key, value: original.value });
    expect(headers).toMatchObject({ trace: "1", "lg-reason": "LG_RECORD_JSON", "lg-offset": "7" });
    expect(Object.keys(headers ?? {}).filter((name) => /size|sha256|left-out/.test(name))).toEqual([]);
  });

  it("is never too large for the broker, and says what it left out", () => {
    const letter = letterOf({
      key: Buffer.alloc(900_000, "k"),
      value: Buffer.alloc(900_000, "v"),
      headers: { small: "1", large: "h".repeat(900_000), more: "2" },
    });
    expect(letter.key?.length).toBe(65_536);
    expect(letter.value?.length).toBe(65_536);
    expect(letter.headers).toMatchObject({
      small: "1",
      more: "2",
      "lg-headers-left-out": "1",
      "lg-size": "900000",
      "lg-key-size": "900000",
    });
    expect(letter.headers?.["lg-key-sha256"]).toMatch(/^[0-9a-f]{64}$/);
  });

  it("counts with its headers where messages are put together", () => {
    const letter = letterOf({ headers: { large: "h".repeat(60_000) } });
    expect(roundsOf(Array.from({ length: 40 }, () => letter)).length).toBeGreaterThan(2);
  });
});
