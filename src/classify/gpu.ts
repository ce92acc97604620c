import { spawn } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { getLlamaGpuTypes } from "node-llama-cpp";
import { LogGuardianError } from "../errors.ts";

/** A driver may compile kernels for its GPU the first time. */
const probeMs = 180_000;
const ownProbe = new URL(`./gpu-probe${extname(import.meta.url)}`, import.meta.url);
let known: Promise<string | undefined> | undefined;

/**
 * Where the language model may run. `problem` says why a GPU that is there stays unused.
 * @throws LogGuardianError LG_GPU_UNUSABLE where layers are asked for that no GPU here can take.
 */
export async function chooseGpu(
  layers: "auto" | number,
): Promise<{ gpu: "auto" | false; problem?: string | undefined }> {
  if (layers === 0) return { gpu: false };
  const types = await getLlamaGpuTypes("supported");
  const hasGpu = types.some((type) => type !== false);
  known ??= hasGpu ? probe(ownProbe) : Promise.resolve(undefined);
  const problem = await known;
  if (hasGpu && problem === undefined) return { gpu: "auto" };
  if (layers === "auto") return { gpu: false, problem };
  throw new LogGuardianError(
    "LG_GPU_UNUSABLE",
    problem === undefined
      ? `inference.gpuLayers asks for ${layers} layers on a GPU, and there is none here.`
      : `inference.gpuLayers asks for ${layers} layers on a GPU, which cannot be used: ${problem}.`,
    "Update the GPU's driver, or set inference.gpuLayers to auto, which then takes the CPU.",
  );
}

/**
 * Decodes a little on the GPU in a process of its own, and says what went wrong. llama.cpp ends a process whose driver
 * is older than what it was compiled with by abort(), at the first decode and not before.
 */
export async function probe(script: URL, timeoutMs = probeMs): Promise<string | undefined> {
  const child = spawn(process.execPath, [fileURLToPath(script)], {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const [said, [code, signal]] = await Promise.all([text(child.stderr), once(child, "close")]);
  if (code === 0) return undefined;
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  const reason = (lines.find((line) => /error/i.test(line)) ?? lines.at(-1))?.replace(/\.$/, "");
  return reason ?? (signal === null ? `the trial ended with ${code}` : `the trial was ended by ${signal}`);
}
