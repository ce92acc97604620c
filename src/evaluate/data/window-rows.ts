import { badRow, readRows } from "./lines.ts";

/** A row of windows' JSON lines. */
export interface WindowRow {
  /** In the file, from 1. */
  number: number;
  lines: string[];
  /** 1 is anomalous; absent where nobody has labelled the window. */
  label?: 0 | 1;
  /** How often it occurs. */
  count: number;
}

/**
 * Rows `{"lines": [...], "label"?: 0 or 1, "count"?: n}`; `-` is standard input, `.gz` and `.xz` are unpacked.
 * @throws LogGuardianError LG_DATASET_ROW with the row's number, LG_FILE_UNREADABLE.
 */
export async function* readWindowRows(path: string): AsyncGenerator<WindowRow> {
  for await (const { number, row } of readRows(path)) yield { number, ...parseRow(row, path, number) };
}

function parseRow(text: string, path: string, number: number): Omit<WindowRow, "number"> {
  let row: { label?: unknown; lines?: unknown; count?: unknown } | null;
  try {
    row = JSON.parse(text);
  } catch (thrown) {
    throw badRow(path, number, "is not JSON", thrown);
  }
  const { label, lines, count = 1 } = row ?? {};
  if (!Array.isArray(lines) || lines.length === 0 || !lines.every((line) => typeof line === "string"))
    throw badRow(path, number, 'has no "lines" with at least one text');
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 1)
    throw badRow(path, number, 'has a "count" that is no whole number from 1 on');
  if (label === undefined) return { lines, count };
  if (label !== 0 && label !== 1) throw badRow(path, number, 'has a "label" that is neither 0 nor 1');
  return { lines, label, count };
}
