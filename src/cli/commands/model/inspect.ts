import { defaultBundleDir, loadBundle } from "../../../model/bundle.ts";

export async function inspectCommand(dir = defaultBundleDir()): Promise<void> {
  const { manifest, id } = await loadBundle(dir);
  console.log(JSON.stringify({ id, ...manifest }, null, 2));
}
