import { createHash } from "node:crypto";
import type { Masker } from "../mask/masker.ts";
import { type FormatName, formats } from "./formats/index.ts";
import { createKeys, type KeySpec } from "./keys.ts";
import { type LayoutName, layouts, render } from "./layouts.ts";
import type { KeyedLine, RawRecord } from "./line.ts";

/** Everything between a record and its keyed, masked lines. */
export interface LineReader {
  /** @throws LogGuardianError LG_RECORD_* when the record belongs into the dead letters. */
  read(record: RawRecord): { lines: KeyedLine[] };
  /** Hash of everything that changes what `masked` holds. */
  readonly maskHash: string;
}

export interface LineReaderOptions {
  format: FormatName;
  layout: LayoutName;
  /** The bundle's text template. */
  template: string;
  key: KeySpec;
}

/** @throws LogGuardianError LG_KEY_PATTERN. */
export function createLineReader(deps: { masker: Masker }, options: LineReaderOptions): LineReader {
  const format = formats[options.format];
  const layout = layouts[options.layout];
  const keysOf = createKeys(options.key);
  const maskHash = createHash("sha256")
    .update(JSON.stringify([deps.masker.hash, options.layout, options.template]))
    .digest("hex")
    .slice(0, 16);
  return {
    maskHash,
    read(record) {
      const lines = format.decode(record).map((decoded, index): KeyedLine => {
        const parsed = layout.parse(decoded.text) ?? { fields: { content: decoded.text } };
        const line: KeyedLine = {
          position: { topic: record.topic, partition: record.partition, offset: record.offset, index },
          // The header's time where the layout knows it, else the shipper's, else the topic's.
          time: ("time" in parsed ? parsed.time : undefined) ?? decoded.time ?? record.timestamp,
          origin: decoded.origin,
          text: decoded.text,
          masked: deps.masker.mask(render(options.template, parsed.fields)),
          keys: keysOf(decoded.text, decoded.origin),
        };
        if (decoded.fileOffset !== undefined) line.fileOffset = decoded.fileOffset;
        return line;
      });
      return { lines };
    },
  };
}
