import { readFile } from "node:fs/promises";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { Bundle } from "./bundle.ts";

/** A window and the margin that the trainer computed for it. */
export interface GoldenWindow {
  /** Masked lines. */
  lines: string[];
  margin: number;
  /** Trace of the trainer's way to the margin, in the first rows at least: the encoder's token ids of each line … */
  tokens?: number[][];
  /** … and the first numbers of each line's projected vector. */
  embeddings?: number[][];
}

/** Numbers of a line's vector that a trace shows; fewer where vectors are shorter. */
export const tracedNumbers = 8;

/** The windows that prove a bundle's parity. @throws LogGuardianError LG_BUNDLE_GOLDEN when they are missing or unreadable. */
export async function readGolden(bundle: Bundle): Promise<GoldenWindow[]> {
  const path = bundle.path("golden.jsonl");
  try {
    const rows = (await readFile(path, "utf8")).split("\n");
    const windows = rows.flatMap((row, place) => (row === "" ? [] : parseRow(row, place + 1)));
    if (windows.length === 0) throw new Error("it is empty");
    return windows;
  } catch (thrown) {
    throw new LogGuardianError(
      "LG_BUNDLE_GOLDEN",
      `The golden windows in ${path} cannot be read: ${reasonOf(thrown)}.`,
      "Fetch or export the bundle again.",
      thrown,
    );
  }
}

function parseRow(text: string, number: number): GoldenWindow {
  let row: Partial<GoldenWindow> | null;
  try {
    row = JSON.parse(text);
  } catch (thrown) {
    throw new Error(`line ${number} is not JSON`, { cause: thrown });
  }
  const { lines, margin } = row ?? {};
  if (!Array.isArray(lines) || lines.length === 0 || !lines.every((line) => typeof line === "string"))
    throw new Error(`line ${number} has no "lines" with at least one text`);
  if (typeof margin !== "number" || !Number.isFinite(margin))
    throw new Error(`line ${number} has no "margin" that is a number`);
  return { ...row, lines, margin };
}
