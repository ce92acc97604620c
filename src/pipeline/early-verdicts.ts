import { type Anomaly, anomalyOf } from "../verdict/anomaly.ts";
import type { EarlyMarks } from "../verdict/early-marks.ts";
import type { Verdict } from "../verdict/verdict.ts";

/** What of these verdicts is to be published, those on open windows once and their final revisions whatever they say. */
export interface EarlyVerdicts {
  /** @returns `published` is to be called once all are durable. A repeat gives the same, or less where it was published. */
  select(verdicts: readonly Verdict[]): Promise<{ anomalies: Anomaly[]; published: () => Promise<void> }>;
}

export function createEarlyVerdicts(marks: EarlyMarks): EarlyVerdicts {
  return {
    async select(verdicts) {
      const raised = verdicts.filter(isRaised);
      const closed = verdicts.filter(({ window }) => window.reason !== "open");
      const ids = [...raised, ...closed].flatMap(({ window }) => [window.id, ...window.formerIds]);
      const known = await marks.among(ids);
      const fresh = raised.filter(({ window }) => !known.has(window.id));
      // Before they are published: whoever finds the final revision must know of them.
      await marks.add(fresh.map(({ window }) => window.id));
      const anomalies = [
        ...fresh.map((verdict) => ofStage(verdict, "raised")),
        ...closed.flatMap((verdict) => finalOnes(verdict, known)),
      ];
      const done = closed.flatMap(({ window }) => [window.id, ...window.formerIds]);
      return { anomalies, published: () => marks.remove(done.filter((id) => known.has(id))) };
    },
  };
}

function isRaised({ window, verdict }: Verdict): boolean {
  return window.reason === "open" && verdict === "anomalous";
}

function finalOnes(verdict: Verdict, known: ReadonlySet<string>): Anomaly[] {
  const { window } = verdict;
  const isKnown = known.has(window.id);
  const stage = verdict.verdict === "normal" ? "withdrawn" : "confirmed";
  const final = isKnown ? ofStage(verdict, stage) : anomalyOf(verdict);
  const moved = window.formerIds
    .filter((id) => known.has(id))
    .map((id) => {
      const anomaly = ofStage({ ...verdict, window: { ...window, id } }, "moved");
      anomaly.logguardian.movedTo = window.id;
      return anomaly;
    });
  return [...moved, final];
}

function ofStage(verdict: Verdict, early: NonNullable<Anomaly["logguardian"]["early"]>): Anomaly {
  const anomaly = anomalyOf(verdict);
  return { ...anomaly, logguardian: { ...anomaly.logguardian, early } };
}
