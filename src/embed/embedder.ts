import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { type CacheStats, createByteCache } from "../byte-cache.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { Bundle } from "../model/bundle.ts";
import { modelEnded } from "../model/ended.ts";
import type { FirstAnswer, WorkerAnswer, WorkerSettings } from "./onnx-worker.ts";

/** Masked lines to vectors that the language model takes as positions of its input. */
export interface Embedder {
  /** Length of a vector: the language model's embedding width. */
  readonly width: number;
  /** ONNX Runtime's execution provider: cpu or cuda. */
  readonly provider: string;
  /**
   * One vector per line, in order. Each distinct line is computed once, and not at all where it is cached.
   * @throws LogGuardianError LG_EMBED_FAILED where one of these lines cannot be embedded, LG_MODEL_ENDED where none can be.
   */
  embed(lines: readonly string[]): Promise<Float32Array[]>;
  stats(): CacheStats;
  close(): Promise<void>;
}

export interface EmbedderOptions {
  provider: "auto" | "cpu" | "cuda";
  threads: number;
  /** Of the line cache; 0 switches it off. */
  cacheBytes: number;
}

/**
 * Starts the encoder in a worker thread.
 * @throws LogGuardianError LG_EMBEDDER_START when ONNX Runtime has no such provider, LG_BUNDLE_TOKENIZER and
 *   LG_BUNDLE_ENCODER when tokenizer or graph cannot be used, LG_BUNDLE_WIDTH when the graph's width is not the manifest's.
 */
export async function createEmbedder(bundle: Bundle, options: EmbedderOptions): Promise<Embedder> {
  // ONNX Runtime, from 1.29 on, reports to its maker unless told not to. A thread's own environment would not reach it.
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
  const { embedder, text } = bundle.manifest;
  const worker = new Worker(new URL(`./onnx-worker${extname(import.meta.url)}`, import.meta.url), {
    workerData: {
      modelPath: bundle.path(embedder.file),
      tokenizerPath: bundle.path(embedder.tokenizer),
      maxTokens: text.maxTokens,
      provider: options.provider,
      threads: options.threads,
    } satisfies WorkerSettings,
  });
  const waiting = new Map<
    number,
    { resolve: (vectors: Float32Array) => void; reject: (reason: Error) => void }
  >();
  const [first] = (await once(worker, "message").catch((thrown) => {
    throw new LogGuardianError(
      "LG_EMBEDDER_START",
      `The encoder's thread cannot start: ${reasonOf(thrown)}.`,
      "Run `logguardian doctor` to see what works here.",
      thrown,
    );
  })) as [FirstAnswer];
  if (first.kind === "refused") {
    await worker.terminate();
    throw new LogGuardianError(first.code as `LG_${string}`, first.message, first.remedy);
  }
  if (first.width !== embedder.width) {
    await worker.terminate();
    throw new LogGuardianError(
      "LG_BUNDLE_WIDTH",
      `The encoder's vectors have ${first.width} numbers where the manifest says ${embedder.width}.`,
      "Export the bundle again: encoder and manifest do not belong together.",
    );
  }
  const { provider, width } = first;

  let nextId = 0;
  let dead: Error | undefined;
  const fail = (thrown: unknown) => {
    dead ??= modelEnded("encoder", thrown);
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
  };
  worker.on("message", (answer: WorkerAnswer) => {
    if (answer.kind === "failed" && answer.isBroken) return fail(answer.message);
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.kind === "embedded") return call?.resolve(answer.embeddings);
    call?.reject(embedFailed(answer.message));
  });
  worker.on("error", fail);
  worker.on("exit", () => fail("its thread has ended"));

  function compute(lines: string[]): Promise<Float32Array> {
    if (dead) return Promise.reject(dead);
    return new Promise((resolve, reject) => {
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, lines });
    });
  }

  const cache = createByteCache<Float32Array>(options.cacheBytes, (embedding) => embedding.byteLength);
  /** Lines being computed now: a second caller waits for the first. */
  const computing = new Map<string, Promise<Float32Array>>();

  return {
    width,
    provider,
    async embed(lines) {
      const found = new Map<string, Float32Array | Promise<Float32Array>>();
      const fresh: string[] = [];
      for (const line of lines) {
        if (found.has(line)) continue;
        const known = cache.get(line) ?? computing.get(line);
        if (known === undefined) fresh.push(line);
        // The place is taken now, so that the line is asked for once.
        found.set(line, known ?? unasked);
      }
      if (fresh.length > 0) {
        const all = compute(fresh);
        for (const [place, line] of fresh.entries()) {
          const one = all.then((vectors) => vectors.slice(place * width, (place + 1) * width));
          computing.set(line, one);
          found.set(line, one);
          one
            .then((vector) => cache.set(line, vector))
            .catch(() => undefined)
            .finally(() => computing.delete(line));
        }
      }
      const resolved = new Map<string, Float32Array>();
      for (const [line, vector] of found) resolved.set(line, await vector);
      return lines.map((line) => resolved.get(line) ?? unasked);
    },
    stats: () => cache.stats(),
    async close() {
      worker.removeAllListeners("exit");
      await worker.terminate();
      fail("it is closed");
    },
  };
}

function embedFailed(sentence: string): LogGuardianError {
  return new LogGuardianError(
    "LG_EMBED_FAILED",
    `The encoder cannot embed a line: ${sentence}`,
    "Its graph or tokenizer cannot take the line: `logguardian model verify`; keep the window's lines.",
  );
}

const unasked = new Float32Array(0);
