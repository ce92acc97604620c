import pc from "picocolors";
import { loadAddon } from "../../classify/addon.ts";
import { availableProviders } from "../../embed/providers.ts";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import { defaultBundleDir, loadBundle } from "../../model/bundle.ts";
import { withModel } from "../../pipeline/open-model.ts";
import { exitCodes } from "../exit-codes.ts";

/** What each check answers when all is well; it throws what is wrong. */
const checks: [string, () => Promise<string>][] = [
  ["Node", async () => process.version],
  ["native addon", async () => loadAddon().then(() => "built")],
  ["ONNX Runtime", async () => `execution providers: ${availableProviders().join(", ")}`],
  ["starter bundle", async () => `${(await loadBundle(defaultBundleDir())).manifest.version}, files match`],
  [
    "model",
    () =>
      withModel(
        {},
        async ({ embedder, scorer }) => `encoder on ${embedder.provider}, language model on ${scorer.device}`,
      ),
  ],
];

export async function doctorCommand(): Promise<void> {
  for (const [name, check] of checks) {
    try {
      console.log(`${pc.green("ok")}    ${name}: ${await check()}`);
    } catch (thrown) {
      const remedy = thrown instanceof LogGuardianError ? ` ${thrown.remedy}` : "";
      console.log(`${pc.red("FAIL")}  ${name}: ${reasonOf(thrown)}${remedy}`);
      process.exitCode = exitCodes.failed;
    }
  }
}
