// Runs in a worker thread, as the embedder's session does: ONNX Runtime with ready tensors, and nothing else.
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";

export interface BareSettings {
  modelPath: string;
  threads: number;
  padId: number;
  /** Token ids of each batch's lines, shortest first. */
  batches: number[][][];
}

/** Of each batch: [lines, width]. */
export type BareAnswer = Float32Array[];

const { modelPath, threads, padId, batches } = workerData as BareSettings;
const session = await InferenceSession.create(modelPath, {
  executionProviders: ["cpu"],
  intraOpNumThreads: threads,
  graphOptimizationLevel: "all",
  logSeverityLevel: 3,
});
const output = session.outputNames[0] ?? "";
const feeds = batches.map((lines) => {
  const length = lines.at(-1)?.length ?? 0;
  const [ids, mask] = [new BigInt64Array(lines.length * length), new BigInt64Array(lines.length * length)];
  ids.fill(BigInt(padId));
  for (const [row, line] of lines.entries()) {
    for (const [column, id] of line.entries()) ids[row * length + column] = BigInt(id);
    mask.fill(1n, row * length, row * length + line.length);
  }
  const shape = [lines.length, length];
  return { input_ids: new Tensor("int64", ids, shape), attention_mask: new Tensor("int64", mask, shape) };
});
parentPort?.on("message", async () => {
  const answer: BareAnswer = [];
  for (const feed of feeds) answer.push((await session.run(feed))[output]?.data as Float32Array);
  parentPort?.postMessage(answer);
});
parentPort?.postMessage("ready");
