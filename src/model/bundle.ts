import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { LogGuardianError } from "../errors.ts";
import { packageRoot } from "../package-root.ts";
import { type Manifest, parseManifest } from "./manifest.ts";

/** A model version: a directory whose manifest has been read and whose files have been checked against it. */
export interface Bundle {
  dir: string;
  /** sha256 of the manifest: names this very version, since the manifest names every file's hash. */
  id: string;
  manifest: Manifest;
  /** Absolute path of one of the bundle's files. */
  path(file: string): string;
}

/** The bundle that comes with the package. */
export function defaultBundleDir(): string {
  return join(packageRoot(), "models/starter");
}

/**
 * Reads a bundle's manifest alone: enough for who only masks.
 * @throws LogGuardianError LG_BUNDLE_MISSING, LG_BUNDLE_MANIFEST, LG_BUNDLE_FORMAT.
 */
export async function loadManifest(dir: string): Promise<Manifest> {
  return (await readManifest(dir)).manifest;
}

/**
 * Reads and checks a bundle.
 * @throws LogGuardianError LG_BUNDLE_MISSING, LG_BUNDLE_MANIFEST, LG_BUNDLE_FORMAT, LG_BUNDLE_CHECKSUM.
 */
export async function loadBundle(dir: string): Promise<Bundle> {
  const { absolute, text, manifest } = await readManifest(dir);
  await Promise.all(
    Object.entries(manifest.files).map(([file, listed]) => check(join(absolute, file), listed)),
  );
  return {
    dir: absolute,
    id: createHash("sha256").update(text).digest("hex"),
    manifest,
    path: (file) => join(absolute, file),
  };
}

async function readManifest(dir: string): Promise<{ absolute: string; text: Buffer; manifest: Manifest }> {
  const absolute = resolve(dir);
  const where = join(absolute, "manifest.json");
  const text = await readFile(where).catch((thrown) => {
    throw new LogGuardianError(
      "LG_BUNDLE_MISSING",
      `There is no bundle in ${absolute}: manifest.json cannot be read.`,
      "Name a directory that holds a bundle, such as models/starter.",
      thrown,
    );
  });
  const manifest = parseManifest(text.toString("utf8"), where);
  const { embedder, llama, novelty } = manifest;
  const needed = [embedder.file, embedder.tokenizer, llama.file];
  if (llama.adapter !== undefined) needed.push(llama.adapter);
  if (novelty !== undefined) needed.push(novelty.file);
  const unlisted = needed.filter((file) => manifest.files[file] === undefined);
  if (unlisted.length > 0) {
    throw new LogGuardianError(
      "LG_BUNDLE_MANIFEST",
      `${where} names ${unlisted.join(", ")} without a checksum under "files".`,
      "Fetch or export the bundle again.",
    );
  }
  return { absolute, text, manifest };
}

async function check(path: string, listed: { sha256: string; size: number }): Promise<void> {
  const damaged = (what: string, cause?: unknown) =>
    new LogGuardianError(
      "LG_BUNDLE_CHECKSUM",
      `${path} ${what}.`,
      "Fetch or export the bundle again.",
      cause,
    );
  const { size } = await stat(path).catch((thrown) => {
    throw damaged("is missing or cannot be read", thrown);
  });
  if (size !== listed.size) throw damaged(`has ${size} bytes where the manifest says ${listed.size}`);
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  if (hash.digest("hex") !== listed.sha256) throw damaged("has another sha256 than the manifest says");
}
