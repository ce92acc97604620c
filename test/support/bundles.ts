import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readGgufFileInfo } from "node-llama-cpp";
import type { Manifest } from "../../src/model/manifest.ts";
import { starterBundle } from "./data.ts";

/** A folder of its own for one test. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "logguardian-test-"));
}

/** A copy of the starter bundle in a temporary folder. */
export function starterCopy(): string {
  const dir = join(temporaryFolder(), "starter");
  cpSync(starterBundle, dir, { recursive: true });
  return dir;
}

export function changeManifest(dir: string, change: (manifest: Manifest) => void): void {
  const path = join(dir, "manifest.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  change(manifest);
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
}

export function listingOf(content: Buffer): { sha256: string; size: number } {
  return { sha256: createHash("sha256").update(content).digest("hex"), size: content.length };
}

/** Writes one of a bundle's files and its checksum: as an export would, right or wrong. */
export function putFile(dir: string, name: string, content: Buffer | string): void {
  const bytes = Buffer.from(content);
  writeFileSync(join(dir, name), bytes);
  changeManifest(dir, ({ files }) => (files[name] = listingOf(bytes)));
}

/** The starter bundle as one that knows nothing of novelty. */
export function starterWithoutNovelty(): string {
  const dir = starterCopy();
  changeManifest(dir, (manifest) => {
    delete manifest.novelty;
    delete manifest.files["novelty.bin"];
  });
  rmSync(join(dir, "novelty.bin"));
  return dir;
}

/** A novelty file of these vectors. */
export function noveltyFile(vectors: readonly Float32Array[], version = 1): Buffer {
  const header = Buffer.alloc(16);
  header.write("LGNV", "latin1");
  const numbers = [version, vectors.length, vectors[0]?.length ?? 0];
  for (const [place, number] of numbers.entries()) header.writeUInt32LE(number, 4 + 4 * place);
  return Buffer.concat([header, ...vectors.map(({ buffer }) => Buffer.from(buffer))]);
}

/** The starter bundle with a novelty file of these vectors. */
export function starterWithNovelty(vectors: readonly Float32Array[]): string {
  const dir = starterCopy();
  changeManifest(dir, (manifest) => (manifest.novelty = { file: "novelty.bin" }));
  putFile(dir, "novelty.bin", noveltyFile(vectors));
  return dir;
}

/**
 * The starter bundle with a language model whose numbers overflow where a line's vector is not 0 at `place`, as no token's is:
 * its logits are then not finite.
 */
export async function starterThatOverflows(): Promise<{ dir: string; place: number }> {
  const dir = starterCopy();
  const path = join(dir, "llama.gguf");
  const { fullTensorInfo = [] } = await readGgufFileInfo(path, { logWarnings: false });
  const tensor = (name: string) => fullTensorInfo.find((one) => one.name === name);
  const [width = 0, tokens = 0] = tensor("token_embd.weight")?.dimensions.map(Number) ?? [];
  const at = (name: string) => Number(tensor(name)?.fileOffset);
  const place = 7;
  const content = readFileSync(path);
  for (let token = 0; token < tokens; token++)
    content.writeUInt16LE(0, at("token_embd.weight") + 2 * (token * width + place));
  content.writeFloatLE(1e38, at("blk.0.attn_norm.weight") + 4 * place);
  putFile(dir, "llama.gguf", content);
  return { dir, place };
}
