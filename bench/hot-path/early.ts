import { readRecords } from "../../src/ingest/file-source.ts";
import { createFormat } from "../../src/ingest/formats/index.ts";
import { runEmbedded } from "../../src/pipeline/embedded.ts";
import { type OpenModel, withModel } from "../../src/pipeline/open-model.ts";
import { createStages } from "../../src/pipeline/stages.ts";
import type { Verdict } from "../../src/verdict/verdict.ts";
import { dataFile } from "../../test/support/data.ts";
import type { Measured, Run } from "./figure.ts";

/** What early verdicts on HDFS' sessions give and cost; overlaps training. */
export interface EarlyFigures {
  everyLines: number;
  sessions: number;
  /** Sessions that are anomalous when they have closed. */
  anomalous: number;
  /** Of them, those raised before. */
  raised: number;
  /** Of those, the median: lines that were still to come, and milliseconds to the last of them. */
  linesEarlier: number;
  msEarlier: number;
  /** Raised, and normal when they have closed. */
  withdrawn: number;
  /** Revisions judged for one final verdict. */
  revisions: number;
}

export async function measureEarlyVerdicts({ full, progress }: Run): Promise<Measured> {
  progress.show("sessions of the raw HDFS log, judged while they are open");
  const found = await measureEarly(dataFile("hdfs/raw_2pct.log.xz"), full ? [2, 4, 5, 8, 10] : [4, 8]);
  return {
    figures: found.map((one) => ({
      name: `early-every-${one.everyLines}`,
      value: one.raised / one.anomalous,
      unit: "share",
      better: "higher",
      note: `${one.raised} of ${one.anomalous} anomalous sessions raised before their end, ${one.linesEarlier} lines and ${Math.round(one.msEarlier / 60_000)} minutes earlier (median), ${one.withdrawn} withdrawn; ${one.revisions.toFixed(1)} revisions a session (overlaps training)`,
    })),
    details: { found },
  };
}

/** @param file raw HDFS log. */
export async function measureEarly(file: string, everyLines: readonly number[]): Promise<EarlyFigures[]> {
  return withModel({ evidence: false }, async (model) => {
    const sessions: Verdict[] = [];
    const stages = createStages(model, {
      pipeline: "early",
      format: createFormat("text"),
      layout: "hdfs",
      key: { kind: "pattern", pattern: "blk_-?\\d+" },
      window: { kind: "session", gapMs: 24 * 3_600_000, maxLines: 1000 },
      batchWindows: 32,
    });
    await runEmbedded(
      stages,
      [{ name: file, batches: readRecords(file) }],
      { onVerdict: (verdict) => void sessions.push(verdict), onDeadLetter: () => undefined },
      { maxPendingWindows: 256 },
    );
    const figures: EarlyFigures[] = [];
    for (const every of everyLines) figures.push(await measureEvery(model, sessions, every));
    return figures;
  });
}

async function measureEvery(
  model: OpenModel,
  sessions: readonly Verdict[],
  everyLines: number,
): Promise<EarlyFigures> {
  const earlier: { lines: number; ms: number }[] = [];
  let [anomalous, withdrawn, revisions] = [0, 0, 0];
  for (const { window, verdict } of sessions) {
    const lines = window.lines.slice(0, model.bundle.manifest.window.maxLines);
    if (verdict === "anomalous") anomalous++;
    const asked = [];
    for (let count = everyLines; count < lines.length; count += everyLines)
      asked.push({
        masked: lines.slice(0, count).map(({ masked }) => masked),
        linesBefore: count - everyLines,
      });
    revisions += asked.length;
    const judgements = await model.judge.judge(asked);
    const first = judgements.findIndex((one) => one.verdict === "anomalous");
    if (first === -1) continue;
    if (verdict !== "anomalous") withdrawn++;
    else {
      const count = (first + 1) * everyLines;
      earlier.push({
        lines: window.lines.length - count,
        ms: window.end - (lines[count - 1]?.time ?? window.end),
      });
    }
  }
  return {
    everyLines,
    sessions: sessions.length,
    anomalous,
    raised: earlier.length,
    linesEarlier: medianOf(earlier.map(({ lines }) => lines)),
    msEarlier: medianOf(earlier.map(({ ms }) => ms)),
    withdrawn,
    revisions: revisions / sessions.length,
  };
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
