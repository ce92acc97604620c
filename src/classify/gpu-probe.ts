// A process of its own: see gpu.ts. Ends with 0 where the GPU decodes the starter bundle's prompt.
import { reasonOf } from "../errors.ts";
import { defaultBundleDir, loadBundle } from "../model/bundle.ts";
import { openLlamaOn } from "./llama-runtime.ts";

async function decodePrompt(): Promise<void> {
  const bundle = await loadBundle(defaultBundleDir());
  const runtime = await openLlamaOn("auto", bundle, { gpuLayers: "auto", threads: 1, maxWindows: 2 });
  const { before, after } = bundle.manifest.prompt;
  const { normal, anomalous } = bundle.manifest.verdict;
  const ids = [...before.ids, ...after.ids];
  const logits = await runtime.engine.run(
    [
      { kind: "clear" },
      {
        kind: "tokens",
        values: Int32Array.from(ids),
        positions: Int32Array.from(ids.keys()),
        sequences: new Int32Array(ids.length),
        outputs: Int8Array.from(ids, (_, place) => (place === ids.length - 1 ? 1 : 0)),
      },
    ],
    Int32Array.of(normal.id, anomalous.id),
  );
  await runtime.close();
  if (!logits.every(Number.isFinite)) throw new Error("its logits are not finite");
}

await decodePrompt().catch((thrown) => {
  console.error(`Error: ${reasonOf(thrown)}`);
  process.exit(1);
});
process.exit(0);
