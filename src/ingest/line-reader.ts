import { createHash } from "node:crypto";
import type { Masker } from "../mask/masker.ts";
import { type FormatName, formats } from "./formats/index.ts";
import { createKeys, type KeySpec } from "./keys.ts";
import { type LayoutName, layouts, render } from "./layouts.ts";
import type { KeyedLine, RawRecord } from "./line.ts";

/** What the model sees of a line: the text template of its layout's fields, masked. */
export interface LineMasker {
  mask(text: string): { masked: string /** as the header gives it, milliseconds */; time?: number };
  /** Of everything that changes what `masked` holds. */
  readonly hash: string;
}

export function createLineMasker(
  deps: { masker: Masker },
  options: { layout: LayoutName /** the bundle's text template */; template: string },
): LineMasker {
  const layout = layouts[options.layout];
  const hash = createHash("sha256")
    .update(JSON.stringify([deps.masker.hash, options.layout, options.template]))
    .digest("hex")
    .slice(0, 16);
  return {
    hash,
    mask(text) {
      const parsed = layout.parse(text) ?? { fields: { content: text } };
      const masked = deps.masker.mask(render(options.template, parsed.fields));
      return "time" in parsed && parsed.time !== undefined ? { masked, time: parsed.time } : { masked };
    },
  };
}

/** Everything between a record and its keyed, masked lines. */
export interface LineReader {
  /** @throws LogGuardianError LG_RECORD_* when the record belongs into the dead letters. */
  read(record: RawRecord): { lines: KeyedLine[] };
  /** Hash of everything that changes what `masked` holds. */
  readonly maskHash: string;
}

/** @throws LogGuardianError LG_KEY_PATTERN. */
export function createLineReader(
  deps: { masker: LineMasker },
  options: { format: FormatName; key: KeySpec },
): LineReader {
  const format = formats[options.format];
  const keysOf = createKeys(options.key);
  return {
    maskHash: deps.masker.hash,
    read(record) {
      const lines = format.decode(record).map((decoded, index): KeyedLine => {
        const { masked, time } = deps.masker.mask(decoded.text);
        const line: KeyedLine = {
          position: { topic: record.topic, partition: record.partition, offset: record.offset, index },
          // The header's time where the layout knows it, else the shipper's, else the topic's.
          time: time ?? decoded.time ?? record.timestamp,
          origin: decoded.origin,
          text: decoded.text,
          masked,
          keys: keysOf(decoded.text, decoded.origin),
        };
        if (decoded.fileOffset !== undefined) line.fileOffset = decoded.fileOffset;
        return line;
      });
      return { lines };
    },
  };
}
