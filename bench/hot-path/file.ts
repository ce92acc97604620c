import { scoreOf } from "../../src/classify/calibration.ts";
import { verdictForPrograms } from "../../src/cli/show.ts";
import { readRows } from "../../src/evaluate/data/lines.ts";
import { count, emptyCounts, metricsOf } from "../../src/evaluate/metrics.ts";
import { withModel } from "../../src/pipeline/open-model.ts";
import { createRandom } from "../../src/simulate/random.ts";
import type { Verdict } from "../../src/verdict/verdict.ts";
import { dataFile, starterBundle } from "../../test/support/data.ts";
import { type Measured, type Run, seed, threads } from "./figure.ts";
import { detectHdfs } from "./hdfs-log.ts";
import { judgeByReference } from "./reference.ts";
import { spentOn } from "./rounds.ts";
import { drawn, linesIn, type MaskedWindow } from "./windows-data.ts";

const asked = { speed: 100, f1: 0.002 };
/**
 * Windows that the reference judges: drawn at random for its time; as many of each label for F1, which with few anomalous
 * ones would tell little.
 */
const wanted = { timed: 300, ofEachLabel: 150, shortened: 100 };

interface Judged {
  masked: MaskedWindow;
  anomalous: boolean;
  flagged: boolean;
}

/** A raw log to verdicts, caches on and empty at first, against the reference on some of its windows. */
export async function measureFile({ full, progress }: Run): Promise<Measured> {
  const labels = await anomalousBlocks();
  const inference = { provider: "cpu", gpuLayers: 0, llamaThreads: threads, onnxThreads: threads } as const;
  const { judged, lines, spent, manifest, caches } = await withModel({ inference }, async (model) => {
    const judged: Judged[] = [];
    let printed = 0;
    let lines = 0;
    const handlers = {
      onVerdict(verdict: Verdict) {
        if (verdict.verdict === "undecided") throw new Error(`Undecided: ${verdict.reason}.`);
        const flagged = verdict.verdict === "anomalous";
        if (flagged) printed += verdictForPrograms(verdict).length;
        const masked = verdict.window.lines.map((line) => line.masked);
        judged.push({ masked, anomalous: labels.has(verdict.window.key), flagged });
      },
      onProgress(read: number) {
        lines = read;
        progress.show("lines of the raw HDFS log", read);
      },
    };
    const spent = await spentOn(() => detectHdfs(model, undefined, handlers));
    progress.say(`${lines} lines in ${spent.seconds.toFixed(1)} s, ${printed} bytes of verdicts.`);
    const { manifest } = model.bundle;
    return { judged, lines, spent, manifest, caches: model.judge.stats() };
  });

  const random = createRandom(seed);
  const each = full ? wanted.ofEachLabel : wanted.shortened;
  const compared = drawn(
    [true, false].flatMap((label) =>
      drawn(
        judged.filter(({ anomalous }) => anomalous === label),
        each,
        random,
      ),
    ),
    2 * each,
    random,
  );
  const windows = compared.map(({ masked }) => masked);
  const reference = await judgeByReference(starterBundle, windows, progress);
  // By the bundle's threshold, as ours: LogLLM's own rule takes the larger logit.
  const theirs = windows.map(
    (_, place) => scoreOf(reference.margins[place] ?? NaN, manifest.calibration) >= manifest.threshold,
  );
  const ours = compared.map(({ flagged }) => flagged);
  const truth = compared.map(({ anomalous }) => anomalous);
  const f1 = { ours: f1Of(ours, truth), reference: f1Of(theirs, truth) };
  // What is beyond the bundle's limit nobody computes.
  const all = judged.map(({ masked }) => masked.slice(0, manifest.window.maxLines));
  const timed = drawn(all, wanted.timed, random);
  const { cpuSeconds } = await judgeByReference(starterBundle, timed, progress);
  const referenceSeconds = (cpuSeconds / linesIn(timed)) * linesIn(all);
  const sample = `extrapolated by lines from ${timed.length} windows drawn at random`;
  return {
    figures: [
      {
        name: "file-hdfs",
        value: referenceSeconds / spent.cpuSeconds,
        unit: "times",
        better: "higher",
        asked: asked.speed,
        note: `${(lines / spent.cpuSeconds).toFixed(0)} lines a CPU-second of ${lines} raw lines in ${judged.length} windows, ${spent.seconds.toFixed(1)} s in all; the reference takes ${referenceSeconds.toFixed(0)} CPU-seconds, ${sample}`,
      },
      {
        name: "file-hdfs-f1",
        value: Math.abs(f1.ours - f1.reference),
        unit: "F1",
        better: "lower",
        asked: asked.f1,
        note: `F1 ${f1.ours.toFixed(4)}, the reference's ${f1.reference.toFixed(4)} on the windows that both judged (overlaps training)`,
      },
    ],
    details: {
      lines,
      spent,
      windows: judged.length,
      compared: windows.length,
      timed: { windows: timed.length, lines: linesIn(timed) },
      referenceCpuSeconds: { measured: cpuSeconds, extrapolated: referenceSeconds },
      caches,
      f1,
    },
  };
}

async function anomalousBlocks(): Promise<Set<string>> {
  const blocks = new Set<string>();
  for await (const { row } of readRows(dataFile("hdfs/raw_2pct_anomaly_label.csv.xz"))) {
    const [block = "", label] = row.split(",");
    if (label === "Anomaly") blocks.add(block);
  }
  return blocks;
}

function f1Of(flagged: readonly boolean[], truth: readonly boolean[]): number {
  const counts = emptyCounts();
  for (const [place, one] of flagged.entries()) count(counts, one, truth[place] === true);
  const { f1 } = metricsOf(counts);
  if (f1 === null) throw new Error("No anomalous window was drawn.");
  return f1;
}
