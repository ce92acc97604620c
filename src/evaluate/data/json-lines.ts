import type { Masker } from "../../mask/masker.ts";
import type { LabelledWindow, ReadingNotes } from "./labelled-window.ts";
import { badRow, createTexts } from "./lines.ts";
import { readWindowRows } from "./window-rows.ts";

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
  for await (const { number, label, lines, count } of readWindowRows(path)) {
    if (label === undefined) throw badRow(path, number, 'has no "label" of 0 or 1');
    notes.lines += count * lines.length;
    yield { label, count, masked: lines.map(mask) };
  }
}
