import { expect, it } from "vitest";
import { createScoringGuard } from "../../src/pipeline/scoring-guard.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import type { Window } from "../../src/window/window.ts";

function windowOf(id: string, formerIds: string[] = []): Window {
  const times = { start: 0, end: 0 };
  return {
    id,
    formerIds,
    key: "k",
    pipeline: "p",
    revision: 1,
    reason: "open",
    ...times,
    lines: [],
    maskHash: "",
  };
}

it("a window that three crashes left marked is poison in all its revisions, until it ends", async () => {
  const held = new Map<string, number>();
  const marks = {
    left: async () => new Map(held),
    begin: async (tries: ReadonlyMap<string, number>) =>
      tries.forEach((count, id) => void held.set(id, count)),
    end: async (ids: readonly string[]) => ids.forEach((id) => void held.delete(id)),
  };
  const early = windowOf("early");
  /** A line that came late gave it another id. */
  const final = windowOf("final", ["early"]);
  for (let crashes = 0; crashes < 3; crashes++) {
    const guard = createScoringGuard({ marks, logger: silentLogger });
    await guard.learn();
    expect([guard.isSuspect(final), guard.isPoison(final)]).toEqual([crashes > 0, false]);
    await guard.begin([crashes < 2 ? early : final]);
  }
  const guard = createScoringGuard({ marks, logger: silentLogger });
  await guard.learn();
  expect([guard.isPoison(early), guard.isPoison(final)]).toEqual([false, true]);
  expect(guard.isSuspect(windowOf("other"))).toBe(false);
  await guard.end([final]);
  expect(held.size).toBe(0);
});
