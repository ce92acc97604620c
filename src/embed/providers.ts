import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * The execution providers that this installation can try, best first. ONNX Runtime lists CUDA wherever it was compiled
 * in, and prints an error when its library is missing: so the library's file is looked for first.
 */
export function availableProviders(): ("cuda" | "cpu")[] {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json")),
    `bin/napi-v6/${process.platform}/${process.arch}`,
  );
  return existsSync(join(folder, "libonnxruntime_providers_cuda.so")) ? ["cuda", "cpu"] : ["cpu"];
}
