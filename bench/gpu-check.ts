// `npm run gpu-check`: the bundle's parity, absolute speed and memory where a CUDA GPU is; needs no network and no data.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs, styleText } from "node:util";
import { checkGolden } from "../src/classify/parity.ts";
import { windowVectors } from "../src/classify/window-vectors.ts";
import { defaultBundleDir } from "../src/model/bundle.ts";
import { readGolden } from "../src/model/golden.ts";
import { type OpenModel, withModel } from "../src/pipeline/open-model.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: defaultBundleDir() },
    seconds: { type: "string", default: "45" },
    cpu: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
if (!(seconds > 0))
  fail(`--seconds ${values.seconds} is no number of seconds.`, "Give how long each measure may take.");

const found = spawnSync(
  "nvidia-smi",
  ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"],
  {
    encoding: "utf8",
  },
);
if (found.status === 0) console.log(found.stdout.trim());
else if (!values.cpu)
  fail(
    "nvidia-smi does not answer: there is no CUDA GPU here.",
    "Run it on a machine with one, or with --cpu to try the check itself.",
  );

let hasFailed = false;
const margins: number[][] = [];
for (const device of values.cpu ? (["cpu"] as const) : (["cuda", "cpu"] as const)) {
  const isGpu = device === "cuda";
  const inference = {
    provider: device,
    gpuLayers: isGpu ? ("auto" as const) : 0,
    lineCacheBytes: 0,
    verdictCacheBytes: 0,
  };
  await withModel({ bundleDir: values.model, evidence: false, inference }, async (model) => {
    console.log(
      styleText("bold", `Encoder on ${model.embedder.provider}, language model on ${model.scorer.device}`),
    );
    if (isGpu && model.scorer.device === "cpu") {
      hasFailed = true;
      console.log(styleText("red", "  The language model did not get to the GPU."));
    }
    const parity = await checkGolden(model.bundle, model.embedder, model.scorer);
    console.log(
      `  ${parity.windows} golden windows: margins within ${parity.worst.toFixed(4)} of the trainer's (tolerance ${parity.tolerance})`,
    );
    margins.push(await measure(model));
  });
}
const [onGpu, onCpu] = margins;
if (onGpu !== undefined && onCpu !== undefined) {
  const worst = Math.max(...onGpu.map((margin, place) => Math.abs(margin - (onCpu[place] ?? Number.NaN))));
  console.log(`GPU and CPU: margins differ by ${worst.toFixed(4)} at most.`);
}
process.exit(hasFailed ? 1 : 0);

/** Prints what the model does with its golden windows, nothing kept between batches. @returns their margins. */
async function measure(model: OpenModel): Promise<number[]> {
  const golden = await readGolden(model.bundle);
  const windows = golden.map(({ lines }) => ({ masked: lines }));
  const { before, after } = model.bundle.manifest.prompt;
  const lines = [...new Set(golden.flatMap((one) => one.lines))];

  const embedded = await repeated(() => model.embedder.embed(lines));
  console.log(`  embedding: ${rate(lines.length * embedded.times, embedded.seconds)} lines/s`);
  const vectors = (
    await windowVectors(
      model.embedder,
      golden.map((one) => one.lines),
    )
  ).map(({ joined }) => joined);
  const positions = golden.reduce((sum, one) => sum + one.lines.length + after.ids.length, 0);
  const scored = await repeated(() => model.scorer.score(vectors));
  console.log(
    `  language model: ${rate(windows.length * scored.times, scored.seconds)} windows/s, ${rate(positions * scored.times, scored.seconds)} positions/s (prompt of ${before.ids.length} kept)`,
  );
  const judgements = await model.judge.judge(windows);
  const early = residentMb();
  const judged = await repeated(() => model.judge.judge(windows));
  console.log(
    `  both: ${rate(windows.length * judged.times, judged.seconds)} windows/s; resident ${early} MB, after ${judged.times} rounds more ${residentMb()} MB`,
  );
  return judgements.map(({ margin }) => margin ?? Number.NaN);
}

/** For so many seconds. */
async function repeated(work: () => Promise<unknown>): Promise<{ times: number; seconds: number }> {
  await work();
  const start = performance.now();
  let times = 0;
  while (performance.now() - start < 1000 * seconds) {
    await work();
    times++;
  }
  return { times, seconds: (performance.now() - start) / 1000 };
}

function rate(count: number, took: number): string {
  return Math.round(count / took).toLocaleString("en");
}

function residentMb(): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

function fail(what: string, remedy: string): never {
  console.error(`${what} ${remedy}`);
  process.exit(1);
}
