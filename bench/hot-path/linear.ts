import { defaultInference, withModel } from "../../src/pipeline/open-model.ts";
import { linearChart, stagesChart } from "./charts.ts";
import type { Figure, Measured, Run } from "./figure.ts";
import { detectHdfs } from "./hdfs-log.ts";
import { type Spent, spentOn } from "./rounds.ts";
import { measureStages } from "./stages.ts";
import { uncached } from "./windows.ts";

const { lineCacheBytes, verdictCacheBytes } = defaultInference;
const caches = { cached: { ...uncached, lineCacheBytes, verdictCacheBytes }, uncached };
const linesOfStages = 20_000;

interface Point extends Spent {
  lines: number;
  windows: number;
}

/** CPU-seconds of growing parts of a raw log, caches on and off, and where they go. */
export async function measureLinear({ full, progress }: Run): Promise<Measured> {
  const sizes = [1_000, 10_000, 100_000, 1_000_000, ...(full ? [10_000_000] : [])];
  const curves: Record<keyof typeof caches, Point[]> = {
    cached: [],
    uncached: [],
  };
  // A model of its own each time: its caches are empty.
  for (const name of ["cached", "uncached"] as const)
    for (const lines of sizes)
      await withModel({ inference: caches[name] }, async (model) => {
        let windows = 0;
        const spent = await spentOn(() =>
          detectHdfs(model, lines, {
            onVerdict: () => void windows++,
            onProgress: (read) => progress.show(`lines, ${name}`, read, lines),
          }),
        );
        curves[name].push({ lines, windows, ...spent });
        progress.say(
          `${lines} lines, ${name}: ${spent.cpuSeconds.toFixed(2)} CPU-seconds, ${windows} windows`,
        );
      });
  const stages = await measureStages(full ? 10 * linesOfStages : linesOfStages, progress);
  return {
    figures: (["cached", "uncached"] as const).map((name) => figureOf(name, curves[name])),
    details: { curves, stages },
    charts: { linear: linearChart(curves), stages: stagesChart(stages.stages) },
    text: [
      `CPU-microseconds for a raw line by stage, caches off (${stages.lines} lines; ${stages.windows} windows, ${stages.decoded} of them decoded; ${stages.embedded} lines embedded)`,
      ...Object.entries(stages.stages).map(
        ([stage, value]) => `  ${stage.padEnd(10)}${value.toFixed(1).padStart(8)}`,
      ),
    ].join("\n"),
  };
}

/** The last two sizes' lines a CPU-second: 1 is linear, below it more lines take more time each. */
function figureOf(name: keyof typeof caches, curve: readonly Point[]): Figure {
  const [smaller, larger] = curve.slice(-2);
  const rateOf = (one?: Point) => (one?.lines ?? NaN) / (one?.cpuSeconds ?? NaN);
  const rates = curve.map((one) => `${one.cpuSeconds.toFixed(2)}`).join(", ");
  return {
    name: `linear-${name}`,
    value: rateOf(larger) / rateOf(smaller),
    unit: "times",
    better: "higher",
    note: `lines a CPU-second of ${larger?.lines} lines over those of ${smaller?.lines}, caches ${name === "cached" ? "on" : "off"}; CPU-seconds by size: ${rates} (a short part cuts sessions off)`,
  };
}
