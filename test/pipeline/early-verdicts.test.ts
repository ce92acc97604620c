import { describe, expect, it } from "vitest";
import { createEarlyVerdicts } from "../../src/pipeline/early-verdicts.ts";
import type { Verdict } from "../../src/verdict/verdict.ts";

function verdict(id: string, of: Partial<Verdict> & Partial<Verdict["window"]> = {}): Verdict {
  const { verdict: found = "normal", reason = "gap", revision = 1, formerIds = [] } = of;
  const position = { topic: "raw", partition: 0, offset: 0, index: 0 };
  const line = { position, time: 0, origin: {}, text: "t", masked: "m" };
  const window = {
    id,
    pipeline: "p",
    key: "k",
    revision,
    reason,
    formerIds,
    start: 0,
    end: 0,
    maskHash: "m",
  };
  return {
    window: { ...window, lines: [line] } as Verdict["window"],
    model: { name: "m", version: "1" },
    verdict: found,
    score: 0.5,
    margin: 0,
    logits: null,
    threshold: 0.5,
    linesScored: 1,
  };
}

function started() {
  const marked = new Set<string>();
  const early = createEarlyVerdicts({
    add: async (ids) => ids.forEach((id) => void marked.add(id)),
    among: async (ids) => new Set(ids.filter((id) => marked.has(id))),
    remove: async (ids) => ids.forEach((id) => void marked.delete(id)),
  });
  const publish = async (...verdicts: Verdict[]) => {
    const { anomalies, published } = await early.select(verdicts);
    const told = anomalies.map(({ event, logguardian: ours }) => [
      event.id,
      ours.early ?? ours.verdict,
      ours.movedTo,
    ]);
    return { told, published };
  };
  return { marked, publish };
}

const raised = verdict("a", { verdict: "anomalous", reason: "open" });

describe("early verdicts", () => {
  it("are raised once, and the final revision says what became of them", async () => {
    for (const [final, stage] of [
      ["anomalous", "confirmed"],
      ["undecided", "confirmed"],
      ["normal", "withdrawn"],
    ] as const) {
      const { publish, marked } = started();
      expect((await publish(raised, verdict("b", { reason: "open" }))).told).toEqual([
        ["a", "raised", undefined],
      ]);
      expect((await publish(raised)).told).toEqual([]);
      const last = verdict("a", { verdict: final, revision: 2 });
      // Until it is durable a repeat says the same.
      expect((await publish(last)).told).toEqual([["a", stage, undefined]]);
      const { told, published } = await publish(last);
      expect(told).toEqual([["a", stage, undefined]]);
      await published();
      expect(marked.size).toBe(0);
    }
  });

  it("leave other windows as they are", async () => {
    const { publish } = started();
    expect((await publish(verdict("c"), verdict("d", { verdict: "anomalous" }))).told).toEqual([
      ["c", "normal", undefined],
      ["d", "anomalous", undefined],
    ]);
  });

  it("move with their lines", async () => {
    const { publish, marked } = started();
    await publish(raised);
    const { told, published } = await publish(
      verdict("x", { verdict: "anomalous", formerIds: ["a", "never raised"] }),
    );
    expect(told).toEqual([
      ["a", "moved", "x"],
      ["x", "anomalous", undefined],
    ]);
    await published();
    expect(marked.size).toBe(0);
  });
});
