import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LogGuardianError } from "../errors.ts";
import { unpackBundle } from "./archive.ts";
import { loadBundle, loadManifest } from "./bundle.ts";
import { download, type OnProgress } from "./download.ts";
import { sha256Of } from "./sha256.ts";
import { checkName, type PullSource } from "./source.ts";

/** A manifest is some kilobytes, and nothing but its checksum is known before it is there. */
const mostOfManifest = 16 * 2 ** 20;

export interface PullOptions {
  /** Of the archive, the manifest or the file. */
  sha256: string;
  /** The folder in which it appears. */
  out: string;
  /** Another name for it there. */
  as?: string | undefined;
  onProgress: OnProgress;
}

export interface Pulled {
  path: string;
  kind: "bundle" | "file";
  /** Nothing was fetched: it was there. */
  already: boolean;
}

/**
 * Fetches a bundle or a single file. It appears under its name when all of it is there and every checksum is right.
 * @throws LogGuardianError LG_USAGE, LG_PULL_*, LG_BUNDLE_*.
 */
export async function pull(source: PullSource, options: PullOptions): Promise<Pulled> {
  const name = checkName(options.as ?? source.name, "--as");
  const path = join(resolve(options.out), name);
  const kind = source.kind === "file" ? "file" : "bundle";
  if (existsSync(path)) {
    if (await isTheSame(path, source, options.sha256)) return { path, kind, already: true };
    throw new LogGuardianError(
      "LG_PULL_EXISTS",
      `${path} is there already and is ${source.kind === "archive" ? "not compared with an archive" : "something else"}.`,
      "Remove it, or choose another place with --out or another name with --as.",
    );
  }
  const { sha256, onProgress } = options;
  const fetchTo = (url: URL, target: string, checksum: string, most?: number) =>
    download(url, target, { sha256: checksum, most, headers: source.headers, onProgress });
  if (source.kind === "file") {
    await fetchTo(source.url, path, sha256);
    return { path, kind, already: false };
  }

  // One place for what is under way; the checksum in its name lets the same pull go on and no other.
  const aside = `${path}.${sha256.slice(0, 12)}.partial`;
  await mkdir(aside, { recursive: true });
  const folder = join(aside, "bundle");
  if (source.kind === "archive") {
    const archive = join(aside, "archive");
    if (!existsSync(archive)) await fetchTo(source.url, archive, sha256);
    await unpackBundle(archive, folder).catch(async (thrown) => {
      await rm(aside, { recursive: true, force: true });
      throw thrown;
    });
  } else {
    const fetchOnce = async (file: string, checksum: string, most: number) => {
      const target = join(folder, file);
      if (!existsSync(target)) await fetchTo(new URL(file, source.url), target, checksum, most);
    };
    await fetchOnce("manifest.json", sha256, mostOfManifest);
    const { files } = await loadManifest(folder);
    for (const [file, listed] of Object.entries(files)) await fetchOnce(file, listed.sha256, listed.size);
  }
  await loadBundle(folder, { needBase: false }).catch(async (thrown) => {
    await rm(aside, { recursive: true, force: true });
    throw thrown;
  });
  await rename(folder, path);
  await rm(aside, { recursive: true, force: true });
  return { path, kind, already: false };
}

/** Whether what is there is what would be fetched. An archive leaves no trace of its own checksum behind. */
async function isTheSame(path: string, { kind }: PullSource, sha256: string): Promise<boolean> {
  if (kind === "archive") return false;
  const file = kind === "manifest" ? join(path, "manifest.json") : path;
  return existsSync(file) && (await sha256Of(file)) === sha256;
}
