import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { withModel } from "../../src/pipeline/open-model.ts";
import { memoryChart } from "./charts.ts";
import type { Measured, Run } from "./figure.ts";
import { uncached } from "./windows.ts";

const asked = 1.05;
const wanted = { fewer: 1_000, more: 20_000 };
const shortened = { fewer: 500, more: 2_500 };
const readings = 40;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Resident memory after many batches over that after few: what leaks, here or in native code, leaks with every batch. */
export async function measureMemory({ full, progress }: Run): Promise<Measured> {
  const { fewer, more } = full ? wanted : shortened;
  return withModel({ inference: uncached }, async ({ judge }) => {
    const read: { batches: number; megabytes: number }[] = [];
    const every = Math.max(1, Math.round(more / readings));
    for (let batch = 1; batch <= more; batch++) {
      const judgements = await judge.judge(tinyWindows(batch));
      for (const { reason } of judgements) if (reason !== undefined) throw new Error(`Undecided: ${reason}.`);
      if (batch % every === 0 || batch === fewer || batch === more)
        read.push({ batches: batch, megabytes: residentMegabytes() });
      progress.show("tiny batches scored", batch, more);
    }
    const at = (batches: number) => read.find((one) => one.batches === batches)?.megabytes ?? NaN;
    const [first, last] = [at(fewer), at(more)];
    return {
      figures: [
        {
          name: "memory",
          value: last / first,
          unit: "times",
          better: "lower",
          asked,
          note: `${last.toFixed(0)} MB resident after ${more} batches, ${first.toFixed(0)} MB after ${fewer}${full ? "" : ` (shortened from ${wanted.more} and ${wanted.fewer})`}`,
        },
      ],
      details: { fewer, more, readings: read },
      charts: { memory: memoryChart(read) },
    };
  });
}

/** Windows of few short lines, no two batches alike. */
function tinyWindows(batch: number): { masked: string[] }[] {
  return [{ masked: [`batch ${batch} begins`] }, { masked: ["it goes on", `batch ${batch} begins`] }];
}

function residentMegabytes(): number {
  collectGarbage();
  return process.memoryUsage.rss() / 1e6;
}
