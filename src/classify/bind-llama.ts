import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { getLlama, type Llama, LlamaLogLevel } from "node-llama-cpp";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { packageRoot } from "../package-root.ts";
import { type Addon, loadAddon } from "./addon.ts";

/**
 * llama.cpp as node-llama-cpp ships, finds and loads it, with our addon bound to it.
 * @throws LogGuardianError LG_NATIVE_ABI when addon and library do not belong together, LG_COMPILER_MISSING, LG_NATIVE_BUILD.
 */
export async function bindLlama(gpu: "auto" | false): Promise<{ llama: Llama; addon: Addon }> {
  const llama = await getLlama({
    gpu,
    build: "never",
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
  });
  const addon = await loadAddon();
  checkAbi(addon);
  return { llama, addon };
}

function checkAbi(addon: Addon): void {
  const mismatch = (what: string, cause?: unknown) =>
    new LogGuardianError(
      "LG_NATIVE_ABI",
      `The native addon and llama.cpp do not belong together: ${what}.`,
      "Install the pinned version of node-llama-cpp, or run native/vendor-headers.sh and build again.",
      cause,
    );
  const entry = createRequire(import.meta.url).resolve("node-llama-cpp");
  const shipped = JSON.parse(readFileSync(join(dirname(entry), "../llama/llama.cpp.info.json"), "utf8")).tag;
  const compiled = readFileSync(join(packageRoot(), "native/include/llama.cpp/VERSION"), "utf8").trim();
  if (shipped !== compiled) throw mismatch(`compiled for ${compiled}, loaded ${shipped}`);
  try {
    addon.bind();
  } catch (thrown) {
    throw mismatch(reasonOf(thrown), thrown);
  }
  const problems = addon.abiProblems();
  if (problems.length > 0) throw mismatch(problems.join(", "));
}
