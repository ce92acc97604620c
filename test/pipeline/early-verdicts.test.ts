import { describe, expect, it } from "vitest";
import { createEarlyVerdicts } from "../../src/pipeline/early-verdicts.ts";
import type { EarlyState } from "../../src/verdict/early-marks.ts";
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
  const marked = new Map<string, string>();
  const early = createEarlyVerdicts({
    set: async (state, ids) => ids.forEach((id) => void marked.set(id, state)),
    states: async (ids) =>
      new Map(ids.flatMap((id) => (marked.has(id) ? [[id, marked.get(id) as EarlyState]] : []))),
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
  it.each([
    ["anomalous", "confirmed"],
    ["undecided", "confirmed"],
    ["normal", "withdrawn"],
  ] as const)("are raised once, and %s in the end are %s", async (final, stage) => {
    const { publish, marked } = started();
    const first = await publish(raised, verdict("b", { reason: "open" }));
    expect(first.told).toEqual([["a", "raised", undefined]]);
    // Until it is durable it is told again; then no more.
    const second = await publish(raised);
    expect(second.told).toEqual(first.told);
    await second.published();
    expect((await publish(raised)).told).toEqual([]);
    const last = verdict("a", { verdict: final, revision: 2 });
    expect((await publish(last)).told).toEqual([["a", stage, undefined]]);
    const { told, published } = await publish(last);
    expect(told).toEqual([["a", stage, undefined]]);
    await published();
    expect(marked.get("a")).toBe("done");
    // One that comes late, from a windower that has lost its partition.
    expect((await publish(raised)).told).toEqual([]);
  });

  it("are not raised where the final one is there already, before or after them, and once where they come twice", async () => {
    const { publish, marked } = started();
    const final = verdict("a", { verdict: "anomalous", revision: 9 });
    expect((await publish(raised, final)).told).toEqual([["a", "anomalous", undefined]]);
    expect((await publish(raised)).told).toEqual([]);
    const other = (revision: number) => verdict("o", { verdict: "anomalous", reason: "open", revision });
    expect((await publish(other(2), other(3))).told).toEqual([["o", "raised", undefined]]);
    expect([...marked.keys()]).toEqual(["o"]);
  });

  it("leave other windows as they are", async () => {
    const { publish } = started();
    expect((await publish(verdict("c"), verdict("d", { verdict: "anomalous" }))).told).toEqual([
      ["c", "normal", undefined],
      ["d", "anomalous", undefined],
    ]);
  });

  it("move with their lines, and are not raised again under the new id", async () => {
    const { publish, marked } = started();
    await (await publish(raised)).published();
    const formerIds = ["a", "never raised"];
    expect((await publish(verdict("x", { verdict: "anomalous", reason: "open", formerIds }))).told).toEqual(
      [],
    );
    const { told, published } = await publish(verdict("x", { verdict: "anomalous", formerIds }));
    expect(told).toEqual([
      ["a", "moved", "x"],
      ["x", "anomalous", undefined],
    ]);
    await published();
    expect(Object.fromEntries(marked)).toEqual({ a: "done" });
  });
});
