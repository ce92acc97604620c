// Runs in a worker thread: onnxruntime-node's run() blocks the thread that calls it.
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { batchesByLength, leastRows } from "./batches.ts";
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

export type WorkerAnswer =
  | { kind: "ready"; provider: string; width: number }
  | { kind: "embedded"; id: number /** [lines, width] */; embeddings: Float32Array }
  | { kind: "failed"; id: number | null; message: string };

if (parentPort !== null) await serve(parentPort, workerData as WorkerSettings);

async function serve(port: NonNullable<typeof parentPort>, settings: WorkerSettings): Promise<void> {
  const answer = (message: WorkerAnswer, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  try {
    const { session, provider } = await openSession(settings);
    const tokenizer = createLineTokenizer(settings.tokenizerPath, settings.maxTokens);
    const embed = (lines: string[]) => embedLines(session, lines, tokenizer.encode);
    const width = (await embed([""])).length;
    port.on("message", async ({ id, lines }: { id: number; lines: string[] }) => {
      try {
        const embeddings = await embed(lines);
        answer({ kind: "embedded", id, embeddings }, [embeddings.buffer]);
      } catch (thrown) {
        answer({ kind: "failed", id, message: String(thrown) });
      }
    });
    answer({ kind: "ready", provider, width });
  } catch (thrown) {
    answer({ kind: "failed", id: null, message: String(thrown) });
  }
}

async function openSession(
  settings: WorkerSettings,
): Promise<{ session: InferenceSession; provider: string }> {
  const wanted = settings.provider === "auto" ? [...availableProviders()] : [settings.provider];
  let last: unknown;
  for (const provider of wanted) {
    try {
      const session = await InferenceSession.create(settings.modelPath, {
        executionProviders: [provider],
        ...(settings.threads > 0 ? { intraOpNumThreads: settings.threads } : {}),
        // The 8-bit weights are folded to fp32 at load; no quantised kernel may take their place.
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
      });
      return { session, provider };
    } catch (thrown) {
      last = thrown;
    }
  }
  throw last;
}

/** [lines, width], each line computed without padding: see batches.ts. */
async function embedLines(
  session: InferenceSession,
  lines: string[],
  encode: (line: string) => number[],
): Promise<Float32Array<ArrayBuffer>> {
  const encoded = lines.map(encode);
  let result = new Float32Array(0);
  for (const { places, length } of batchesByLength(encoded)) {
    const rows = Math.max(leastRows, places.length);
    const ids = new BigInt64Array(rows * length);
    for (let row = 0; row < rows; row++) {
      const place = places[row % places.length] ?? 0;
      for (const [column, id] of (encoded[place] ?? []).entries()) ids[row * length + column] = BigInt(id);
    }
    const shape = [rows, length];
    const output = await session.run({
      input_ids: new Tensor("int64", ids, shape),
      attention_mask: new Tensor("int64", new BigInt64Array(ids.length).fill(1n), shape),
    });
    const vectors = output[session.outputNames[0] ?? ""]?.data as Float32Array;
    const width = vectors.length / rows;
    if (result.length === 0) result = new Float32Array(lines.length * width);
    for (const [row, place] of places.entries()) {
      result.set(vectors.subarray(row * width, (row + 1) * width), place * width);
    }
  }
  return result;
}
