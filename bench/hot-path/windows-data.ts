import { join } from "node:path";
import { readWindowRows } from "../../src/evaluate/data/window-rows.ts";
import type { Random } from "../../src/simulate/random.ts";

/** Masked lines in their order. */
export type MaskedWindow = string[];

/** Windows in one batch at most: the default of `inference.batchSize`. */
export const windowsPerBatch = 32;

/**
 * Every occurrence of the dev part of `hdfs` or `bgl`, which no weight was trained on. A window is cut at `maxLines`.
 * @param label of those wanted; all by default.
 */
export async function devWindows(
  splits: string,
  system: "hdfs" | "bgl",
  maxLines: number,
  label?: 0 | 1,
): Promise<MaskedWindow[]> {
  const windows: MaskedWindow[] = [];
  for await (const row of readWindowRows(join(splits, `${system}-dev.jsonl.gz`)))
    if (label === undefined || row.label === label) windows.push(row.lines.slice(0, maxLines));
  return windows;
}

/** Drawn without putting back; equal ones are as likely as they are frequent. */
export function drawn<T>(items: readonly T[], count: number, random: Random): T[] {
  if (items.length < count) throw new Error(`There are ${items.length} where ${count} are to be drawn.`);
  const pool = [...items];
  for (let place = 0; place < count; place++) {
    const other = place + random.below(pool.length - place);
    [pool[place], pool[other]] = [pool[other] as T, pool[place] as T];
  }
  return pool.slice(0, count);
}

export function batchesOf<T>(items: readonly T[], size = windowsPerBatch): T[][] {
  const batches: T[][] = [];
  for (let from = 0; from < items.length; from += size) batches.push(items.slice(from, from + size));
  return batches;
}

export function linesIn(windows: readonly (readonly unknown[])[]): number {
  return windows.reduce((sum, { length }) => sum + length, 0);
}
