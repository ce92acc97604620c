import { availableParallelism } from "node:os";
import {
  GgufFileType,
  GgufInsights,
  type Llama,
  type LlamaModel,
  readGgufFileInfo,
  type Token,
} from "node-llama-cpp";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { Bundle } from "../model/bundle.ts";
import type { Engine } from "./addon.ts";
import { bindLlama } from "./bind-llama.ts";
import { chooseGpu } from "./gpu.ts";

export interface RuntimeOptions {
  gpuLayers: "auto" | number;
  /** 0: all cores but one. */
  threads: number;
  /** Windows in one decode at most. */
  maxWindows: number;
  /** Windows that go on whose lines are kept in the KV cache, at most. */
  liveWindows?: number;
}

export interface LlamaRuntime {
  engine: Engine;
  /** "cpu", "cuda", … and how many layers lie there. */
  device: string;
  /** Of one decode; from this number on, `liveSequences` more hold windows that go on. */
  maxSequences: number;
  liveSequences: number;
  maxPositions: number;
  detokenize(ids: number[]): string;
  close(): Promise<void>;
}

/** Positions of one decode on top of what a single window needs; more gains nothing on a CPU. */
const positionsPerDecode = 2048;

/**
 * llama.cpp as node-llama-cpp ships, finds and loads it, with our addon on top.
 * @throws LogGuardianError LG_GPU_UNUSABLE when layers are asked for that no GPU can take, LG_NATIVE_ABI when addon and
 *   library do not belong together, LG_MODEL_LOAD when the GGUF cannot be loaded, LG_BUNDLE_PROMPT when the manifest's
 *   token ids are not the tokenizer's, LG_BUNDLE_WIDTH.
 */
export async function openLlama(bundle: Bundle, options: RuntimeOptions): Promise<LlamaRuntime> {
  const { gpu, problem } = await chooseGpu(options.gpuLayers);
  if (problem !== undefined)
    process.emitWarning(
      `The GPU stays unused, the language model runs on the CPU: ${problem}.`,
      "GpuWarning",
    );
  return openLlamaOn(gpu, bundle, options);
}

/** On a GPU without asking whether it works. */
export async function openLlamaOn(
  gpu: "auto" | false,
  bundle: Bundle,
  options: RuntimeOptions,
): Promise<LlamaRuntime> {
  const { llama, addon } = await bindLlama(gpu);
  let vocabulary: LlamaModel | undefined;
  let engine: Engine | undefined;
  const close = async () => {
    engine?.dispose();
    await vocabulary?.dispose();
    await llama.dispose();
  };
  try {
    const { manifest } = bundle;
    const modelPath = bundle.path(manifest.llama.file);
    const tokenizer = await llama.loadModel({ modelPath, vocabOnly: true, gpuLayers: 0 }).catch((thrown) => {
      throw loadFailed(modelPath, thrown);
    });
    vocabulary = tokenizer;
    checkPrompt(tokenizer, bundle);

    const { before, after } = manifest.prompt;
    const positionsPerSequence = before.ids.length + manifest.window.maxLines + after.ids.length;
    const maxPositions = Math.max(positionsPerDecode, positionsPerSequence);
    const gpuLayers = llama.gpu === false ? 0 : await chooseGpuLayers(modelPath, llama, options.gpuLayers);
    const maxSequences = Math.max(2, options.maxWindows);
    const { liveWindows: liveSequences = 0 } = options;
    const repack = !(await hasBlocksOf256(modelPath));
    try {
      engine = new addon.Engine({
        modelPath,
        ...(manifest.llama.adapter === undefined ? {} : { adapterPath: bundle.path(manifest.llama.adapter) }),
        gpuLayers,
        threads: options.threads > 0 ? options.threads : Math.max(1, availableParallelism() - 1),
        maxSequences: maxSequences + liveSequences,
        maxPositions,
        positionsPerSequence,
        repack,
        flashAttention: manifest.llama.flashAttention,
      });
    } catch (thrown) {
      throw loadFailed(modelPath, thrown);
    }
    checkWidth(engine.info().width, bundle);
    return {
      engine,
      device: gpuLayers > 0 ? `${llama.gpu}, ${gpuLayers} layers` : "cpu",
      maxSequences,
      liveSequences,
      maxPositions,
      detokenize: (ids) => tokenizer.detokenize(ids as unknown as Token[]),
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function checkWidth(width: number, { manifest }: Bundle): void {
  if (width === manifest.embedder.width) return;
  throw new LogGuardianError(
    "LG_BUNDLE_WIDTH",
    `The language model takes vectors of ${width} numbers, the bundle's encoder gives ${manifest.embedder.width}.`,
    "Export the bundle again: encoder and language model do not belong together.",
  );
}

function checkPrompt(vocabulary: LlamaModel, { manifest }: Bundle): void {
  const { before, after } = manifest.prompt;
  const { normal, anomalous } = manifest.verdict;
  const bos = vocabulary.tokens.bos;
  const beforeText = bos !== null && before.ids[0] === bos ? before.ids.slice(1) : before.ids;
  const pieces: [string, number[], (string[] | undefined)?][] = [
    [before.text, beforeText, before.parts],
    [after.text, after.ids, after.parts],
    [normal.text, [normal.id]],
    [anomalous.text, [anomalous.id]],
  ];
  for (const [text, ids, parts = [text]] of pieces) {
    const plain: number[] = parts.flatMap((part) => vocabulary.tokenize(part, false));
    if (plain.join() === ids.join() && parts.join("") === text) continue;
    throw new LogGuardianError(
      "LG_BUNDLE_PROMPT",
      `The manifest gives ${JSON.stringify(text)} the token ids ${ids.join(" ")}, the tokenizer ${plain.join(" ")}.`,
      "Export the bundle again: manifest and language model do not belong together.",
    );
  }
}

/**
 * Whether the weights are quantised in the K formats' blocks. llama.cpp multiplies such weights, once repacked, four rows
 * at a time and the rest of a batch by another kernel with another rounding: a window's margin would depend on its
 * batch-mates (.4 on SmolLM2-135M in q4_k_m). The plain kernels know no such difference.
 */
async function hasBlocksOf256(modelPath: string): Promise<boolean> {
  const { metadata } = await readGgufFileInfo(modelPath, { readTensorInfo: false, logWarnings: false });
  const { file_type: fileType = 0 } = metadata.general;
  return fileType >= GgufFileType.MOSTLY_Q2_K && fileType <= GgufFileType.MOSTLY_Q6_K;
}

async function chooseGpuLayers(modelPath: string, llama: Llama, wanted: "auto" | number): Promise<number> {
  if (wanted !== "auto") return wanted;
  const insights = await GgufInsights.from(await readGgufFileInfo(modelPath), llama);
  return insights.configurationResolver.resolveModelGpuLayers("auto");
}

function loadFailed(path: string, thrown: unknown): LogGuardianError {
  return new LogGuardianError(
    "LG_MODEL_LOAD",
    `The language model ${path} cannot be loaded: ${reasonOf(thrown)}.`,
    "It must be a GGUF file of a Llama that fits into memory; `logguardian doctor` shows what this machine has.",
    thrown,
  );
}
