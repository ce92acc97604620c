import { LogGuardianError } from "../../../errors.ts";
import { readRecords } from "../../../ingest/file-source.ts";

/** A row of windows' JSON lines. */
export interface WindowRow {
  lines: string[];
  /** 1 is anomalous; absent where nobody has labelled the window. */
  label?: 0 | 1;
}

/**
 * Rows `{"lines": [...]}`, with `"label": 0 or 1` where they are labelled; `-` is standard input, `.gz` and `.xz` are unpacked.
 * @throws LogGuardianError LG_DATASET_ROW with the row's number, LG_FILE_UNREADABLE.
 */
export async function* readWindowRows(path: string): AsyncGenerator<WindowRow> {
  for await (const records of readRecords(path, { wholeLines: true })) {
    for (const { value, offset } of records) {
      const text = value?.toString("utf8").trim() ?? "";
      if (text !== "") yield parseRow(text, path, offset + 1);
    }
  }
}

function parseRow(text: string, path: string, number: number): WindowRow {
  const refuse = (what: string, cause?: unknown) =>
    new LogGuardianError(
      "LG_DATASET_ROW",
      `${path === "-" ? "standard input" : path}, line ${number} ${what}.`,
      'Each row is a window: {"lines": ["first line", "second line"]}.',
      cause,
    );
  let row: { lines?: unknown; label?: unknown } | null;
  try {
    row = JSON.parse(text);
  } catch (thrown) {
    throw refuse("is not JSON", thrown);
  }
  const { lines, label } = row ?? {};
  if (!Array.isArray(lines) || !lines.every((line) => typeof line === "string"))
    throw refuse('has no "lines", a list of texts');
  if (label === undefined) return { lines };
  if (label !== 0 && label !== 1) throw refuse('has a "label" that is neither 0 nor 1');
  return { lines, label };
}
