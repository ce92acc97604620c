import { LogGuardianError } from "../../errors.ts";
import { type LabelledWindow, readHdfs, readJsonLines } from "../../evaluate/datasets.ts";
import { count, emptyCounts, metricsOf } from "../../evaluate/metrics.ts";
import { createMasker } from "../../mask/masker.ts";
import { type OpenModel, withModel } from "../../pipeline/open-model.ts";

interface Options {
  data: string;
  format: "jsonl" | "hdfs";
  labels?: string;
  model?: string;
  json?: boolean;
}

const windowsPerCall = 512;

export async function evaluateCommand(options: Options): Promise<void> {
  if (options.format === "hdfs" && options.labels === undefined) {
    throw new LogGuardianError(
      "LG_USAGE",
      "--format hdfs needs --labels.",
      "Give the label file, BlockId,Label.",
    );
  }
  const chosen = options.model === undefined ? {} : { bundleDir: options.model };
  await withModel({ evidence: false, ...chosen }, (model) => evaluate(model, options));
}

async function evaluate(model: OpenModel, options: Options): Promise<void> {
  const { manifest } = model.bundle;
  const masker = createMasker({ profile: manifest.text.maskProfile });
  const windows: AsyncIterable<LabelledWindow> =
    options.format === "jsonl"
      ? readJsonLines(options.data, masker)
      : readHdfs(options.data, options.labels ?? "", { masker, template: manifest.text.template });

  const counts = emptyCounts();
  let done = 0;
  let batch: LabelledWindow[] = [];
  const judge = async () => {
    const judgements = await model.judge.judge(batch);
    for (const [place, { verdict }] of judgements.entries()) {
      if (verdict === "undecided") counts.undecided++;
      count(counts, verdict === "anomalous", batch[place]?.label === 1);
    }
    done += batch.length;
    batch = [];
    if (process.stderr.isTTY) process.stderr.write(`\r${done} windows`);
  };
  for await (const window of windows) if (batch.push(window) === windowsPerCall) await judge();
  if (batch.length > 0) await judge();
  if (process.stderr.isTTY) process.stderr.write("\r");
  if (done === 0)
    throw new LogGuardianError(
      "LG_DATASET_EMPTY",
      `${options.data} holds no window.`,
      "Give labelled windows.",
    );

  const metrics = metricsOf(counts);
  const { threshold } = manifest;
  if (options.json === true) {
    console.log(JSON.stringify({ metrics, counts, threshold }));
    return;
  }
  console.log(`${done} windows, ${manifest.name} ${manifest.version}, threshold ${threshold}`);
  for (const [name, value] of Object.entries(metrics)) console.log(`${name.padEnd(10)} ${value.toFixed(4)}`);
  for (const [name, value] of Object.entries(counts)) console.log(`${name.padEnd(15)} ${value}`);
}
