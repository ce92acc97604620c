import { decodedLine } from "../../src/codec/line.ts";
import type { KeyedLine } from "../../src/ingest/line.ts";
import type { LinesMessage } from "../../src/ingest/lines-message.ts";
import type { Window } from "../../src/window/window.ts";

/** The same as plain data, to be compared: a line's content may still be encoded, and its keys may still be there. */
export const decodedWindow = (window: Window): Window => ({
  ...window,
  lines: window.lines.map(decodedLine),
});

export const decodedKeyedLine = (line: KeyedLine): KeyedLine => ({ ...decodedLine(line), keys: line.keys });

export const decodedMessage = (message: LinesMessage): LinesMessage =>
  message.kind === "flush" ? message : { ...message, lines: message.lines.map(decodedKeyedLine) };
