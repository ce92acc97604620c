import { filebeat } from "./filebeat.ts";
import { fluentBit } from "./fluent-bit.ts";
import type { RecordFormat } from "./format.ts";
import { text } from "./text.ts";

export type { RecordFormat } from "./format.ts";

/** Every record format by the name that the configuration uses. */
export const formats = {
  filebeat,
  "fluent-bit": fluentBit,
  text,
} satisfies Record<string, RecordFormat>;

export type FormatName = keyof typeof formats;
export const formatNames = Object.keys(formats) as FormatName[];
