import { access, rename, rm, stat } from "node:fs/promises";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { bindLlama } from "./bind-llama.ts";
import type { Quantization } from "./quantizations.ts";

/**
 * Rewrites a GGUF file with its matrices in another type, by llama.cpp itself. `target` appears whole or not at all.
 * @throws LogGuardianError LG_QUANTIZE, LG_NATIVE_*.
 */
export async function quantize(
  source: string,
  target: string,
  options: { type: Quantization; threads: number; requantize: boolean },
): Promise<{ sourceBytes: number; targetBytes: number }> {
  const refuse = (what: string, remedy: string, cause?: unknown) =>
    new LogGuardianError("LG_QUANTIZE", what, remedy, cause);
  const { size: sourceBytes } = await stat(source).catch((thrown) => {
    throw refuse(`${source} cannot be read: ${reasonOf(thrown)}.`, "Name a GGUF file.", thrown);
  });
  if (await exists(target)) throw refuse(`${target} is there already.`, "Remove it, or choose another name.");
  const { llama, addon } = await bindLlama(false);
  const aside = `${target}.partial`;
  try {
    await addon.quantize(source, aside, options.type, options.threads, options.requantize);
    await rename(aside, target);
  } catch (thrown) {
    await rm(aside, { force: true });
    throw refuse(
      `${source} cannot be written as ${options.type}: ${reasonOf(thrown).trim().replaceAll("\n", "; ")}.`,
      "Begin with a GGUF file in f32, f16 or bf16 (of another --allow-requantize takes it), and room for the result.",
      thrown,
    );
  } finally {
    await llama.dispose();
  }
  return { sourceBytes, targetBytes: (await stat(target)).size };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
