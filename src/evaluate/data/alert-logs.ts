import type { LayoutName } from "../../ingest/layouts.ts";
import type { LabelledWindow, ReadingNotes } from "./labelled-window.ts";
import { type LineView, type RawLine, readRawLines } from "./lines.ts";
import { contentsOf, slide, type WindowSize } from "./slide.ts";

/**
 * BGL, Thunderbird, Liberty and Spirit: raw logs whose first field is `-` for a normal line, else the alert's tag. A
 * window in the file's order, which is that of time, is anomalous when one of its lines is an alert.
 */
export async function* readAlertLog(
  path: string,
  layout: LayoutName,
  window: WindowSize,
  view: LineView,
  notes: ReadingNotes,
): AsyncGenerator<LabelledWindow> {
  let firstLine = 0;
  for await (const lines of slide(readRawLines(path, layout, view, notes), window)) {
    const alerts = [...new Set(lines.filter(isAlert).map(({ masked }) => masked))];
    const place = window.stride < window.size ? { firstLine } : {};
    yield { label: alerts.length > 0 ? 1 : 0, count: 1, ...contentsOf(lines), ...place, alerts };
    firstLine += window.stride;
  }
}

/** A line that does not fit the layout carries a tag only where the epoch follows it: else its first word is no tag. */
function isAlert({ text, fitsLayout }: RawLine): boolean {
  return !text.startsWith("- ") && (fitsLayout || /^\S+ \d{9,10} /.test(text));
}
