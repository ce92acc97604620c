import type { Judgement } from "../../classify/judgement.ts";
import { noConfusion, type Said, type ShadowCounts, type ShadowPair } from "../../verdict/shadow.ts";

/** How a window's two verdicts relate: what an operator would see change, were the next bundle live. */
export type Outcome = "same" | "raised" | "cleared" | "undecided";

export function outcomeOf({ live, next }: { live: Said; next: Said }): Outcome {
  if (live.verdict === next.verdict) return "same";
  if (live.verdict === "undecided" || next.verdict === "undecided") return "undecided";
  return next.verdict === "anomalous" ? "raised" : "cleared";
}

export function saidBy({ verdict, score, margin, reason }: Judgement): Said {
  return { verdict, score, margin, ...(reason === undefined ? {} : { reason }) };
}

/** Counts what was compared until it is taken. */
export function createTally(pipeline: string, now: () => number = Date.now) {
  const fresh = () => ({
    from: now(),
    confusion: noConfusion(),
    scoreDifference: { sum: 0, max: 0, windows: 0 },
    leftOut: 0,
    count: 0,
  });
  let held = fresh();
  return {
    add(live: Said, next: Said): void {
      held.count++;
      held.confusion[live.verdict][next.verdict]++;
      if (live.score === null || next.score === null) return;
      const difference = Math.abs(live.score - next.score);
      const { scoreDifference } = held;
      scoreDifference.sum += difference;
      scoreDifference.max = Math.max(scoreDifference.max, difference);
      scoreDifference.windows++;
    },
    leftOut(windows: number): void {
      held.count += windows;
      held.leftOut += windows;
    },
    /** What was counted since the last time; undefined where that is nothing. */
    take(models: ShadowPair): ShadowCounts | undefined {
      if (held.count === 0) return undefined;
      const { from, confusion, scoreDifference, leftOut } = held;
      held = fresh();
      return {
        kind: "counts",
        pipeline,
        models,
        from: new Date(from).toISOString(),
        to: new Date(now()).toISOString(),
        confusion,
        scoreDifference,
        leftOut,
      };
    },
  };
}
