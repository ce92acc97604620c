import { LRUCache } from "lru-cache";
import { type Anomaly, anomalyOf, type EarlyStage } from "../verdict/anomaly.ts";
import type { EarlyMarks } from "../verdict/early-marks.ts";
import type { Verdict } from "../verdict/verdict.ts";

/** What of these verdicts is to be published: of an open window the first that is anomalous, and every final one. */
export interface EarlyVerdicts {
  /** @returns `published` is to be called once all are durable; until then a repeat gives the same. */
  select(verdicts: readonly Verdict[]): Promise<{ anomalies: Anomaly[]; published: () => Promise<void> }>;
}

/** Of windows that have closed: a windower that lost its partition may send an early revision after that. */
const closedKnown = 100_000;

export function createEarlyVerdicts(marks: EarlyMarks): EarlyVerdicts {
  const closedLately = new LRUCache<string, true>({ max: closedKnown });
  const idsOf = ({ window }: Verdict) => [window.id, ...window.formerIds];
  return {
    async select(verdicts) {
      const closed = verdicts.filter(({ window }) => window.reason !== "open");
      const closedIds = closed.flatMap(idsOf);
      for (const id of closedIds) closedLately.set(id, true);
      const raised = new Map(
        verdicts.filter((verdict) => isRaised(verdict)).map((verdict) => [verdict.window.id, verdict]),
      );
      const states = await marks.states([...new Set([...raised.values()].flatMap(idsOf).concat(closedIds))]);
      const isOpen = (id: string) => states.get(id) === "announced" || states.get(id) === "raised";
      const fresh = [...raised.values()].filter(({ window: { id, formerIds } }) => {
        const wasRaised = states.get(id) === "raised" || states.get(id) === "done" || formerIds.some(isOpen);
        return !wasRaised && !closedLately.has(id);
      });
      const freshIds = fresh.map(({ window }) => window.id);
      // Before they are published: whoever finds the final revision must know of them.
      await marks.set("announced", freshIds);
      return {
        anomalies: [
          ...fresh.map((verdict) => ofStage(verdict, "raised")),
          ...closed.flatMap((verdict) => finalOnes(verdict, isOpen)),
        ],
        async published() {
          await marks.set("raised", freshIds);
          await marks.set("done", closedIds.filter(isOpen));
        },
      };
    },
  };
}

function isRaised({ window, verdict }: Verdict): boolean {
  return window.reason === "open" && verdict === "anomalous";
}

function finalOnes(verdict: Verdict, isOpen: (id: string) => boolean): Anomaly[] {
  const { window } = verdict;
  const stage = verdict.verdict === "normal" ? "withdrawn" : "confirmed";
  const final = isOpen(window.id) ? ofStage(verdict, stage) : anomalyOf(verdict);
  const moved = window.formerIds.filter(isOpen).map((id) => {
    const anomaly = ofStage({ ...verdict, window: { ...window, id } }, "moved");
    anomaly.logguardian.movedTo = window.id;
    return anomaly;
  });
  return [...moved, final];
}

function ofStage(verdict: Verdict, early: EarlyStage): Anomaly {
  const anomaly = anomalyOf(verdict);
  return { ...anomaly, logguardian: { ...anomaly.logguardian, early } };
}
