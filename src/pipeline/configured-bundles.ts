import type { ConfiguredBundles } from "../api/suppressions.ts";
import { pipelineOf } from "../config/load.ts";
import { detectPipeline } from "../config/pipeline-schema.ts";
import type { Config } from "../config/schema.ts";
import { defaultBundleDir, loadManifest } from "../model/bundle.ts";

interface BundleName {
  name: string;
  version: string;
}

/** The bundle that a pipeline's configuration names; undefined where it does not lie here. */
export async function bundleOf(config: Config, pipeline: string): Promise<BundleName | undefined> {
  const { bundle } = pipeline === detectPipeline ? config.api : pipelineOf(config, pipeline);
  return loadManifest(bundle ?? defaultBundleDir()).then(
    ({ name, version }) => ({ name, version }),
    () => undefined,
  );
}

/** Those of all pipelines, and of what is sent to the API. */
export async function configuredBundles(config: Config): Promise<ConfiguredBundles> {
  const names = [...Object.keys(config.pipelines), detectPipeline];
  const found = await Promise.all(names.map(async (name) => [name, await bundleOf(config, name)] as const));
  return {
    readAt: Date.now(),
    of: new Map(found.flatMap(([name, bundle]) => (bundle === undefined ? [] : [[name, bundle]]))),
  };
}
