import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LogGuardianError } from "../errors.ts";
import { packageRoot } from "../package-root.ts";
import { type Manifest, parseManifest } from "./manifest.ts";
import { sha256Of } from "./sha256.ts";

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
 * Reads and checks a bundle. `needBase: false` lets a base that is still to be fetched be absent.
 * @throws LogGuardianError LG_BUNDLE_MISSING, LG_BUNDLE_MANIFEST, LG_BUNDLE_FORMAT, LG_BUNDLE_CHECKSUM, LG_BASE_MISSING.
 */
export async function loadBundle(dir: string, { needBase = true } = {}): Promise<Bundle> {
  const { absolute, text, manifest } = await readManifest(dir);
  const base = baseToFetch(absolute, manifest);
  if (base !== undefined && needBase) throw base;
  const listed: Record<string, Listed> = { ...manifest.files };
  const { file, base: named } = manifest.llama;
  if (named !== undefined && base === undefined) listed[file] ??= { sha256: named.sha256 };
  await Promise.all(Object.entries(listed).map(([name, entry]) => check(join(absolute, name), entry)));
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
  const needed = [embedder.file, embedder.tokenizer];
  if (llama.base === undefined) needed.push(llama.file);
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
  const { [llama.file]: own } = manifest.files;
  if (own !== undefined && llama.base !== undefined && own.sha256 !== llama.base.sha256) {
    throw new LogGuardianError(
      "LG_BUNDLE_MANIFEST",
      `${where} gives ${llama.file} one sha256 under "files" and another under "llama.base".`,
      "Fetch or export the bundle again.",
    );
  }
  return { absolute, text, manifest };
}

/** The error that says how to get the base, where the bundle names one and does not have it. */
export function baseToFetch(dir: string, { llama }: Manifest): LogGuardianError | undefined {
  const { file, base } = llama;
  if (base === undefined || existsSync(join(dir, file))) return undefined;
  return new LogGuardianError(
    "LG_BASE_MISSING",
    `The language model ${base.name}, which the bundle in ${dir} builds on, is not there as ${file}.`,
    `Fetch it: logguardian model pull '${base.url}' --sha256 ${base.sha256} --out '${dir}' --as ${file}`,
  );
}

/** The size, where it is known, spares reading a damaged file to its end. */
interface Listed {
  sha256: string;
  size?: number;
}

async function check(path: string, listed: Listed): Promise<void> {
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
  if (listed.size !== undefined && size !== listed.size)
    throw damaged(`has ${size} bytes where the manifest says ${listed.size}`);
  if ((await sha256Of(path)) !== listed.sha256) throw damaged("has another sha256 than the manifest says");
}
