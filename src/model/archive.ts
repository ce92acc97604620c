import { mkdir, rm } from "node:fs/promises";
import { extract, list } from "tar";
import { LogGuardianError, reasonOf } from "../errors.ts";

/**
 * Unpacks a packed bundle, `.tar` or `.tar.gz`, into a new folder: its files lie at the archive's top or in one folder there.
 * @throws LogGuardianError LG_BUNDLE_ARCHIVE for what is no such archive.
 */
export async function unpackBundle(archive: string, folder: string): Promise<void> {
  const refuse = (what: string, cause?: unknown) =>
    new LogGuardianError(
      "LG_BUNDLE_ARCHIVE",
      `${archive} is no packed bundle: ${what}.`,
      "Pack the files of a bundle's folder: tar -czf bundle.tar.gz -C <folder> .",
      cause,
    );
  const files: string[] = [];
  const others: string[] = [];
  try {
    await list({
      file: archive,
      strict: true,
      onReadEntry: ({ path, type }) => {
        if (type === "File" || type === "OldFile") files.push(path.replace(/^\.\//, ""));
        else if (type !== "Directory") others.push(`${path} (${type})`);
      },
    });
  } catch (thrown) {
    throw refuse(reasonOf(thrown), thrown);
  }
  if (others.length > 0) throw refuse(`it holds ${others[0]}, which is no file`);
  const manifest = files.find((path) => /^(?:[^/]+\/)?manifest\.json$/.test(path));
  if (manifest === undefined) throw refuse("it holds no manifest.json");
  const top = manifest.slice(0, -"manifest.json".length);
  const stray = files.find((path) => !path.startsWith(top) || path.slice(top.length).includes("/"));
  if (stray !== undefined) throw refuse(`${stray} does not lie beside its manifest.json`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await extract({
      file: archive,
      cwd: folder,
      strict: true,
      strip: top === "" ? 0 : 1,
      preserveOwner: false,
      noMtime: true,
    });
  } catch (thrown) {
    throw refuse(reasonOf(thrown), thrown);
  }
}
