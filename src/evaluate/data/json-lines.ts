import type { Masker } from "../../mask/masker.ts";
import type { LabelledWindow, ReadingNotes } from "./labelled-window.ts";
import { badRow, createTexts, readRows } from "./lines.ts";

/** Rows `{"label": 0 or 1, "lines": [...], "count"?: n}`; lines are contents without header, masked already or not. */
export async function* readJsonLines(
  path: string,
  { masker }: { masker: Masker },
  notes: ReadingNotes,
): AsyncGenerator<LabelledWindow> {
  const texts = createTexts();
  const masked = new Map<string, string>();
  const mask = (content: string) => {
    let known = masked.get(content);
    if (known === undefined) {
      known = texts.one(masker.mask(content));
      masked.set(content, known);
    }
    return known;
  };
  for await (const { number, row } of readRows(path)) {
    const { label, lines, count } = parseRow(row, path, number);
    notes.lines += count * lines.length;
    yield { label, count, masked: lines.map(mask) };
  }
}

function parseRow(
  text: string,
  path: string,
  number: number,
): { label: 0 | 1; lines: string[]; count: number } {
  let row: { label?: unknown; lines?: unknown; count?: unknown } | null;
  try {
    row = JSON.parse(text);
  } catch (thrown) {
    throw badRow(path, number, "is not JSON", thrown);
  }
  const { label, lines, count = 1 } = row ?? {};
  if (label !== 0 && label !== 1) throw badRow(path, number, 'has no "label" of 0 or 1');
  if (!Array.isArray(lines) || lines.length === 0 || !lines.every((content) => typeof content === "string")) {
    throw badRow(path, number, 'has no "lines" with at least one text');
  }
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 1) {
    throw badRow(path, number, 'has a "count" that is no whole number from 1 on');
  }
  return { label, lines, count };
}
