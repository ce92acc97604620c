import { createJudge, type Judge } from "../classify/judge.ts";
import { createNovelty } from "../classify/novelty.ts";
import { createScorer, type Scorer } from "../classify/scorer.ts";
import { sizeOf } from "../config/load.ts";
import type { PipelineConfig } from "../config/pipeline-schema.ts";
import type { Config } from "../config/schema.ts";
import { createEmbedder, type Embedder } from "../embed/embedder.ts";
import { type Bundle, defaultBundleDir, loadBundle } from "../model/bundle.ts";
import { readTrainingLines } from "../model/novelty.ts";
import { type Logger, silentLogger } from "../telemetry/logger.ts";

/** Which machine parts the model runs on, and what it may keep. */
export interface InferenceOptions {
  /** ONNX Runtime's execution provider for the encoder. */
  provider: "auto" | "cpu" | "cuda";
  /** Layers of the language model on the GPU; `auto` fits as many as its memory holds. */
  gpuLayers: "auto" | number;
  /** Threads of the language model and of the encoder; 0 chooses. */
  llamaThreads: number;
  onnxThreads: number;
  /** Windows in one decode at most. */
  batchSize: number;
  /** Open windows whose lines stay in the KV cache; 0 where none is judged before it closes. */
  liveWindows: number;
  lineCacheBytes: number;
  verdictCacheBytes: number;
}

export const defaultInference: InferenceOptions = {
  provider: "auto",
  gpuLayers: "auto",
  llamaThreads: 0,
  onnxThreads: 0,
  batchSize: 32,
  liveWindows: 0,
  lineCacheBytes: 64 * 2 ** 20,
  verdictCacheBytes: 64 * 2 ** 20,
};

export interface OpenModel {
  bundle: Bundle;
  embedder: Embedder;
  scorer: Scorer;
  judge: Judge;
  close(): Promise<void>;
}

export interface ModelOptions {
  /** Directory of the bundle; the starter bundle by default. */
  bundleDir?: string;
  /** Replaces the bundle's threshold on the score. */
  threshold?: number;
  /** Compute the lines' weights of anomalous windows; true by default. */
  evidence?: boolean;
  /** Margin's logits and the generated answer with every judgement. */
  rawOutput?: boolean;
  inference?: Partial<InferenceOptions>;
}

/** The model of a pipeline. */
export function modelOptionsOf(
  { inference }: Config,
  { bundle, threshold, early }: Pick<PipelineConfig, "bundle" | "threshold" | "early">,
): ModelOptions {
  const { lineCache, verdictCache, liveWindows, ...rest } = inference;
  return {
    inference: {
      ...rest,
      liveWindows: early === undefined ? 0 : liveWindows,
      lineCacheBytes: sizeOf(lineCache),
      verdictCacheBytes: sizeOf(verdictCache),
    },
    ...(bundle === undefined ? {} : { bundleDir: bundle }),
    ...(threshold === undefined ? {} : { threshold }),
  };
}

/**
 * Loads and checks a bundle and makes it ready to judge windows.
 * @throws LogGuardianError LG_BUNDLE_* where the bundle is missing or damaged, LG_NATIVE_* where the machine cannot run it.
 */
export async function openModel(
  options: ModelOptions = {},
  { logger = silentLogger }: { logger?: Logger } = {},
): Promise<OpenModel> {
  const inference = { ...defaultInference, ...options.inference };
  const bundle = await loadBundle(options.bundleDir ?? defaultBundleDir());
  const opening = [
    createEmbedder(bundle, {
      provider: inference.provider,
      threads: inference.onnxThreads,
      cacheBytes: inference.lineCacheBytes,
    }),
    createScorer(bundle, {
      gpuLayers: inference.gpuLayers,
      threads: inference.llamaThreads,
      maxWindows: inference.batchSize,
      liveWindows: inference.liveWindows,
    }),
  ] as const;
  await Promise.allSettled(opening);
  try {
    // In this order: the encoder compares the manifest's width with its graph's, and whoever comes later would take a
    // wrong one for another file's fault.
    const embedder = await opening[0];
    const scorer = await opening[1];
    const trainingLines = await readTrainingLines(bundle);
    const judge = createJudge(
      { bundle, embedder, scorer, novelty: trainingLines && createNovelty(trainingLines), logger },
      {
        threshold: options.threshold ?? bundle.manifest.threshold,
        evidence: options.evidence ?? true,
        rawOutput: options.rawOutput ?? false,
        cacheBytes: inference.verdictCacheBytes,
      },
    );
    return { bundle, embedder, scorer, judge, close: () => closeAll(opening) };
  } catch (thrown) {
    await closeAll(opening);
    throw thrown;
  }
}

async function closeAll(opening: readonly Promise<Embedder | Scorer>[]): Promise<void> {
  for (const part of await Promise.allSettled(opening))
    if (part.status === "fulfilled") await part.value.close();
}

/** Opens a model, uses it, and closes it whatever happens: its worker thread would keep the process alive. */
export async function withModel<T>(options: ModelOptions, use: (model: OpenModel) => Promise<T>): Promise<T> {
  const model = await openModel(options);
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}
