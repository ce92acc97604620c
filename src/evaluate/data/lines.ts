import { LogGuardianError } from "../../errors.ts";
import { readRecords } from "../../ingest/file-source.ts";
import { decodeText } from "../../ingest/formats/text.ts";
import { type LayoutName, layouts, render } from "../../ingest/layouts.ts";
import type { Masker } from "../../mask/masker.ts";
import type { ReadingNotes } from "./labelled-window.ts";

/** Rows of a data file (labels, JSON lines), whole whatever their length, numbered from 1. Blank rows are left out. */
export async function* readRows(path: string): AsyncGenerator<{ number: number; row: string }> {
  for await (const records of readRecords(path, { wholeLines: true })) {
    for (const { offset, value } of records) {
      const row = value?.toString("utf8").replace(/\r$/, "") ?? "";
      if (row.trim() !== "") yield { number: offset + 1, row };
    }
  }
}

export function badRow(path: string, number: number, what: string, cause?: unknown): LogGuardianError {
  return new LogGuardianError(
    "LG_DATASET_ROW",
    `${path === "-" ? "standard input" : path}, line ${number} ${what}.`,
    "Correct the row or leave it out.",
    cause,
  );
}

export interface RawLine {
  text: string;
  /** The bundle's text template of the line, masked. Equal lines are one string, so that millions cost little memory. */
  masked: string;
  time?: number;
  fitsLayout: boolean;
}

/** What turns a raw log's lines into what the model sees. */
export interface LineView {
  masker: Masker;
  /** The bundle's text template. */
  template: string;
}

/** Below this share of lines that fit the layout the file is taken for one of another system. */
const leastShareThatFits = 0.1;

/**
 * Lines of a raw log, decoded, stripped of their header and masked as the stream does it. Blank lines hold nothing.
 * @throws LogGuardianError LG_FILE_UNREADABLE, LG_DATASET_LAYOUT where next to no line fits.
 */
export async function* readRawLines(
  path: string,
  layout: LayoutName,
  { masker, template }: LineView,
  notes: ReadingNotes,
): AsyncGenerator<RawLine> {
  const texts = createTexts();
  let [lines, fitting] = [0, 0];
  for await (const records of readRecords(path)) {
    for (const { value } of records) {
      if (value === null || value.length === 0) continue;
      const text = decodeText(value);
      const parsed = layouts[layout].parse(text);
      const masked = texts.one(masker.mask(render(template, parsed?.fields ?? { content: text })));
      lines++;
      notes.lines++;
      if (parsed === undefined) notes.linesWithoutLayout++;
      else fitting++;
      const time = parsed?.time;
      yield { text, masked, fitsLayout: parsed !== undefined, ...(time === undefined ? {} : { time }) };
    }
  }
  if (fitting < lines * leastShareThatFits) {
    throw new LogGuardianError(
      "LG_DATASET_LAYOUT",
      `Only ${fitting} of ${lines} lines of ${path} have the header of ${layout}.`,
      "Choose the --format that belongs to the file.",
    );
  }
}

/** One string for equal texts. */
export function createTexts(): { one(text: string): string } {
  const known = new Map<string, string>();
  return {
    one(text) {
      const found = known.get(text);
      if (found !== undefined) return found;
      known.set(text, text);
      return text;
    },
  };
}
