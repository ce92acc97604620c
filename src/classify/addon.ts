import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { packageRoot } from "../package-root.ts";

/** One step of a program on the context's KV cache; rows are positions. */
export type Operation =
  | ({ kind: "embeddings" /** [positions, width] */; values: Float32Array } & Rows)
  | ({ kind: "tokens" /** [positions] */; values: Int32Array } & Rows)
  | { kind: "copy"; source: number; target: number }
  /** Of the sequence the positions from the first to before the second, by default all that follow. */
  | { kind: "remove"; sequence: number; from: number; to?: number }
  | { kind: "clear" };

interface Rows {
  positions: Int32Array;
  sequences: Int32Array;
  /** 1 where logits are wanted, 2 where they are computed and not read, else 0. */
  outputs: Int8Array;
}

export interface EngineOptions {
  modelPath: string;
  adapterPath?: string;
  gpuLayers: number;
  threads: number;
  maxSequences: number;
  /** Of one decode. */
  maxPositions: number;
  positionsPerSequence: number;
  /** Lay the weights out for this processor's wider kernels. */
  repack: boolean;
  flashAttention: boolean;
}

/** A model with one context, in C++ (native/src/engine.h). Programs run on a worker thread, one after another. */
export interface Engine {
  info(): { width: number; vocabulary: number; positionsPerSequence: number };
  /** Rows of the token embedding table: [ids, width]. */
  tokenRows(ids: Int32Array): Float32Array;
  /** The logits of `ids` for every wanted position, in order: [outputs, ids]. */
  run(program: readonly Operation[], ids: Int32Array): Promise<Float32Array>;
  dispose(): void;
}

export interface Addon {
  /** Finds llama.cpp in this process; node-llama-cpp must have loaded it. */
  bind(): void;
  abiProblems(): string[];
  Engine: new (options: EngineOptions) => Engine;
  /** Rewrites a GGUF file in another type; threads 0: all; `requantize`: even from a quantised one. */
  quantize(source: string, target: string, type: string, threads: number, requantize: boolean): Promise<void>;
}

/**
 * The native addon, compiled at first use where the installation did not.
 * @throws LogGuardianError LG_COMPILER_MISSING, LG_NATIVE_BUILD.
 */
export async function loadAddon(): Promise<Addon> {
  const build = await import(pathToFileURL(join(packageRoot(), "native/build.mjs")).href);
  let path: string;
  try {
    path = build.buildAddon();
  } catch (thrown) {
    if (thrown instanceof build.MissingCompiler) {
      throw new LogGuardianError(
        "LG_COMPILER_MISSING",
        "The native addon is not built and there is no C++ compiler to build it.",
        "Install one (Debian: apt-get install g++; macOS: xcode-select --install) and run this again.",
        thrown,
      );
    }
    throw new LogGuardianError(
      "LG_NATIVE_BUILD",
      `The native addon cannot be built: ${reasonOf(thrown)}`,
      "A C++17 compiler is needed; CXX chooses another one.",
      thrown,
    );
  }
  return createRequire(import.meta.url)(path) as Addon;
}
