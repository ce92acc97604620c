import { windowVectors } from "../../src/classify/window-vectors.ts";
import { LogGuardianError } from "../../src/errors.ts";
import { type OpenModel, withModel } from "../../src/pipeline/open-model.ts";
import { createRandom } from "../../src/simulate/random.ts";
import { starterBundle } from "../../test/support/data.ts";
import { type Measure, type Measured, type Run, seed, threads } from "./figure.ts";
import { judgeByReference } from "./reference.ts";
import { spentOn } from "./rounds.ts";
import { batchesOf, devWindows, drawn, linesIn, type MaskedWindow } from "./windows-data.ts";

const asked = 20;
const wanted = { reference: 300, ours: 2000 };

export const measureWindowsOf =
  (system: "hdfs" | "bgl", sizes: { reference: number; ours: number }): Measure =>
  (run) =>
    measureWindows(run, system, run.full ? wanted : sizes);

/** Nothing is kept between batches. */
export const uncached = {
  provider: "cpu",
  gpuLayers: 0,
  llamaThreads: threads,
  onnxThreads: threads,
  lineCacheBytes: 0,
  verdictCacheBytes: 0,
} as const;

/** Windows a CPU-second, uncached, against the reference in PyTorch on the first of the same windows. */
async function measureWindows(
  { splits, progress }: Run,
  system: "hdfs" | "bgl",
  sizes: typeof wanted,
): Promise<Measured> {
  return withModel({ inference: uncached }, async (model) => {
    const { maxLines } = model.bundle.manifest.window;
    const all = await devWindows(splits, system, maxLines);
    const windows = drawn(all, sizes.ours, createRandom(seed));
    const compared = windows.slice(0, sizes.reference);
    await marginsOf(model, windows.slice(0, 32));
    // Ours before and after the reference: the machine may have changed meanwhile.
    const margins: number[] = [];
    const before = await spentOn(async () => margins.push(...(await marginsOf(model, windows))));
    const reference = await judgeByReference(starterBundle, compared, progress);
    const after = await spentOn(() => marginsOf(model, windows));
    const [ours, theirs] = [
      (2 * windows.length) / (before.cpuSeconds + after.cpuSeconds),
      compared.length / reference.cpuSeconds,
    ];
    const differences = compared.map((_, place) =>
      Math.abs((reference.margins[place] ?? NaN) - (margins[place] ?? NaN)),
    );
    const difference = Math.max(...differences);
    assertSame(difference, model.bundle.manifest.parity.tolerance);
    const shortened = compared.length === wanted.reference ? "" : `, shortened from ${wanted.reference}`;
    return {
      figures: [
        {
          name: `windows-${system}`,
          value: ours / theirs,
          unit: "times",
          better: "higher",
          asked,
          note: `${ours.toFixed(1)} windows a CPU-second, the reference ${theirs.toFixed(2)}, extrapolated from ${compared.length} of ${all.length} dev windows${shortened}; margins differ by ${difference.toFixed(3)} at most`,
        },
      ],
      details: {
        windows: windows.length,
        lines: linesIn(windows),
        compared: compared.length,
        comparedLines: linesIn(compared),
        spent: { before, after, reference: { seconds: reference.seconds, cpuSeconds: reference.cpuSeconds } },
        windowsPerCpuSecond: { ours, reference: theirs },
        largestMarginDifference: difference,
      },
    };
  });
}

/** Equal lines of a batch are embedded once, equal windows decoded each: the judge would decode them once. */
async function marginsOf(
  { embedder, scorer }: OpenModel,
  windows: readonly MaskedWindow[],
): Promise<number[]> {
  const margins: number[] = [];
  for (const batch of batchesOf(windows)) {
    const vectors = await windowVectors(embedder, batch);
    for (const scored of await scorer.score(vectors.map(({ joined }) => joined))) {
      if (scored instanceof LogGuardianError) throw scored;
      margins.push(scored.anomalous - scored.normal);
    }
  }
  return margins;
}

/** Whoever computes something else has no speed to be compared with. */
function assertSame(difference: number, tolerance: number): void {
  // Not `>`: what is no number is not the same.
  if (difference <= tolerance) return;
  throw new Error(`The reference's margins differ by ${difference}: it does not compute the same.`);
}
