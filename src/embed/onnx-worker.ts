// Runs in a worker thread: onnxruntime-node's run() blocks the thread that calls it.
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { batchesByLength } from "./batches.ts";
import { availableProviders } from "./providers.ts";
import { createLineTokenizer } from "./tokenizer.ts";

export interface WorkerSettings {
  modelPath: string;
  tokenizerPath: string;
  maxTokens: number;
  provider: "auto" | "cpu" | "cuda";
  /** 0: ONNX Runtime's own choice. */
  threads: number;
}

/** Whether it can start; why not as the parts of a LogGuardianError, whose class does not come through to another thread. */
export type FirstAnswer =
  | { kind: "ready"; provider: string; width: number }
  | { kind: "refused"; code: LogGuardianError["code"]; message: string; remedy: string };

export type WorkerAnswer =
  | { kind: "embedded"; id: number /** [lines, width] */; embeddings: Float32Array }
  | { kind: "failed"; id: number; message: string /** Whatever it is asked. */; isBroken: boolean };

if (parentPort !== null) await serve(parentPort, workerData as WorkerSettings);

async function serve(port: NonNullable<typeof parentPort>, settings: WorkerSettings): Promise<void> {
  const answer = (message: FirstAnswer | WorkerAnswer, transfer: ArrayBuffer[] = []) =>
    port.postMessage(message, transfer);
  try {
    const { session, provider } = await openSession(settings);
    const tokenizer = createLineTokenizer(settings.tokenizerPath, settings.maxTokens);
    const embed = (lines: string[]) => embedLines(session, lines, tokenizer.encode);
    const tryIt = () => embed([""]);
    const { length: width } = await tryIt().catch((thrown) => {
      throw provider === "cpu" ? unusable(settings.modelPath, thrown) : notStarted(provider, thrown);
    });
    port.on("message", async ({ id, lines }: { id: number; lines: string[] }) => {
      try {
        const embeddings = await embed(lines);
        answer({ kind: "embedded", id, embeddings }, [embeddings.buffer]);
      } catch (thrown) {
        // These lines may be at fault, or all is lost, such as a GPU: what worked at the start tells.
        const isBroken = await tryIt().then(
          () => false,
          () => true,
        );
        answer({ kind: "failed", id, message: sentenceOf(thrown), isBroken });
      }
    });
    answer({ kind: "ready", provider, width });
  } catch (thrown) {
    if (!(thrown instanceof LogGuardianError)) throw thrown;
    const { code, message, remedy } = thrown;
    answer({ kind: "refused", code, message, remedy });
  }
}

/** @throws LogGuardianError LG_EMBEDDER_START where the provider is at fault, LG_BUNDLE_ENCODER where the graph is. */
async function openSession({
  modelPath,
  provider: asked,
  threads,
}: WorkerSettings): Promise<{ session: InferenceSession; provider: string }> {
  const open = (provider: string) =>
    InferenceSession.create(modelPath, {
      executionProviders: [provider],
      ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
      // The 8-bit weights are folded to fp32 at load; no quantised kernel may take their place.
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
  let last: unknown;
  for (const provider of asked === "auto" ? availableProviders() : [asked]) {
    try {
      return { session: await open(provider), provider };
    } catch (thrown) {
      last = thrown;
    }
  }
  // Every ONNX Runtime has the CPU: what does not load there either is no fault of a provider.
  const session = await open("cpu").catch((thrown) => {
    throw unusable(modelPath, thrown);
  });
  await session.release();
  throw notStarted(asked, last);
}

function unusable(modelPath: string, thrown: unknown): LogGuardianError {
  return new LogGuardianError(
    "LG_BUNDLE_ENCODER",
    `The encoder's graph ${modelPath} cannot be used: ${sentenceOf(thrown)}`,
    "Fetch or export the bundle again.",
    thrown,
  );
}

function notStarted(provider: string, thrown: unknown): LogGuardianError {
  return new LogGuardianError(
    "LG_EMBEDDER_START",
    `The encoder cannot start with provider ${provider}: ${sentenceOf(thrown)}`,
    "Run `logguardian doctor` to see which execution providers this machine has.",
    thrown,
  );
}

/** ONNX Runtime ends some of its messages with a stop or a newline, and others not. */
function sentenceOf(thrown: unknown): string {
  return `${reasonOf(thrown).trim().replace(/\.$/, "")}.`;
}

/**
 * [lines, width], each line computed without padding: see batches.ts. A line that is alone in its batch runs beside
 * itself: reductions over a batch of one take another path with another rounding (measured with ONNX Runtime 1.30, AVX2).
 */
async function embedLines(
  session: InferenceSession,
  lines: string[],
  encode: (line: string) => number[],
): Promise<Float32Array<ArrayBuffer>> {
  const encoded = lines.map(encode);
  let result = new Float32Array(0);
  for (const { places, length } of batchesByLength(encoded)) {
    const rows = places.length === 1 ? [...places, ...places] : places;
    const ids = new BigInt64Array(rows.length * length);
    for (const [row, place] of rows.entries()) {
      for (const [column, id] of (encoded[place] ?? []).entries()) ids[row * length + column] = BigInt(id);
    }
    const shape = [rows.length, length];
    const output = await session.run({
      input_ids: new Tensor("int64", ids, shape),
      attention_mask: new Tensor("int64", new BigInt64Array(ids.length).fill(1n), shape),
    });
    const vectors = output[session.outputNames[0] ?? ""]?.data as Float32Array;
    const width = vectors.length / rows.length;
    if (result.length === 0) result = new Float32Array(lines.length * width);
    for (const [row, place] of places.entries()) {
      result.set(vectors.subarray(row * width, (row + 1) * width), place * width);
    }
  }
  return result;
}
