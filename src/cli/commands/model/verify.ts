import { checkGolden } from "../../../classify/parity.ts";
import { defaultBundleDir } from "../../../model/bundle.ts";
import { withModel } from "../../../pipeline/open-model.ts";

export async function verifyCommand(dir = defaultBundleDir()): Promise<void> {
  await withModel({ bundleDir: dir }, async (model) => {
    const { name, version, files } = model.bundle.manifest;
    console.log(`${name} ${version}: ${Object.keys(files).length} files match their sha256.`);
    console.log(
      `Prompt, widths and native path agree (encoder on ${model.embedder.provider}, model on ${model.scorer.device}).`,
    );
    const parity = await checkGolden(model.bundle, model.embedder, model.scorer);
    console.log(
      `${parity.windows} golden windows: margins within ${parity.worst.toFixed(4)} of the trainer's ` +
        `(mean ${parity.mean.toFixed(4)}, tolerance ${parity.tolerance}).`,
    );
    if (parity.traced > 0)
      console.log(`${parity.traced} of them with tokens and embeddings, which are the trainer's.`);
  });
}
