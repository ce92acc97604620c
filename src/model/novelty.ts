import { readFile } from "node:fs/promises";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { Bundle } from "./bundle.ts";

/** The projected vectors of all lines that a bundle was trained on: vectors alone, no text. */
export interface TrainingLines {
  count: number;
  width: number;
  /** [count, width] */
  vectors: Float32Array;
}

const magic = "LGNV";
const formatVersion = 1;
const headerBytes = 16;

/**
 * Reads a bundle's novelty file: "LGNV", uint32 version, uint32 count, uint32 width, then count * width float32, all
 * little-endian. @returns undefined where the bundle has none. @throws LogGuardianError LG_BUNDLE_NOVELTY.
 */
export async function readTrainingLines(bundle: Bundle): Promise<TrainingLines | undefined> {
  const { novelty, embedder } = bundle.manifest;
  if (novelty === undefined) return undefined;
  const path = bundle.path(novelty.file);
  const refuse = (what: string, cause?: unknown) =>
    new LogGuardianError(
      "LG_BUNDLE_NOVELTY",
      `The training lines' vectors in ${path} ${what}.`,
      "Fetch or export the bundle again.",
      cause,
    );
  const bytes = await readFile(path).catch((thrown) => {
    throw refuse(`cannot be read: ${reasonOf(thrown)}`, thrown);
  });
  if (bytes.length < headerBytes || bytes.toString("latin1", 0, 4) !== magic)
    throw refuse(`do not begin with ${magic}`);
  const [version, count, width] = [4, 8, 12].map((at) => bytes.readUInt32LE(at)) as [number, number, number];
  if (version !== formatVersion)
    throw refuse(`have format version ${version}; this LogGuardian reads version ${formatVersion}`);
  if (width !== embedder.width)
    throw refuse(`have ${width} numbers each where the manifest says ${embedder.width}`);
  if (count === 0) throw refuse("are none");
  const expected = headerBytes + 4 * count * width;
  if (bytes.length !== expected)
    throw refuse(`take ${bytes.length} bytes where ${count} of ${width} numbers take ${expected}`);
  // Copied: a float must begin at a multiple of four, and a small file's bytes lie anywhere in Node's pool.
  const vectors = new Float32Array(Uint8Array.from(bytes.subarray(headerBytes)).buffer);
  if (!vectors.every(Number.isFinite)) throw refuse("hold a number that is not finite");
  return { count, width, vectors };
}
