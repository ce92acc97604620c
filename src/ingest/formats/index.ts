import type { SchemaRegistry } from "../schema-registry.ts";
import { createAuto } from "./auto.ts";
import { createAvro } from "./avro.ts";
import type { Fields } from "./fields.ts";
import { createFilebeat } from "./filebeat.ts";
import { createFluentBit } from "./fluent-bit.ts";
import type { RecordFormat } from "./format.ts";
import { createGelf } from "./gelf.ts";
import { createJson } from "./json.ts";
import { jsonString } from "./json-string.ts";
import { createMsgpack } from "./msgpack.ts";
import { otlpJson } from "./otlp-json.ts";
import { otlpProto } from "./otlp-proto.ts";
import { syslog } from "./syslog.ts";
import { text } from "./text.ts";
import { createVector } from "./vector.ts";

export type { Choice, RecordFormat } from "./format.ts";

export interface FormatOptions {
  /** Of `avro`, and of `auto` where Avro may come. */
  registry?: SchemaRegistry | undefined;
  /** Of `json`, `msgpack`, `avro` and `auto`: where they hold the line and its origin, instead of the usual places. */
  fields?: Partial<Fields> | undefined;
}

/** Every record format by the name that the configuration uses. */
const create = {
  auto: ({ registry, fields }) =>
    createAuto({
      filebeat: createFilebeat(fields),
      fluentBit: createFluentBit(fields),
      vector: createVector(fields),
      gelf: createGelf(fields),
      json: createJson(fields),
      msgpack: createMsgpack(fields),
      avro: registry === undefined ? undefined : createAvro(registry, fields),
    }),
  filebeat: () => createFilebeat(),
  "fluent-bit": () => createFluentBit(),
  vector: () => createVector(),
  "otlp-json": () => otlpJson,
  "otlp-proto": () => otlpProto,
  gelf: () => createGelf(),
  json: ({ fields }) => createJson(fields),
  "json-string": () => jsonString,
  msgpack: ({ fields }) => createMsgpack(fields),
  avro: ({ registry, fields }) => createAvro(registry, fields),
  syslog: () => syslog,
  text: () => text,
} satisfies Record<string, (options: FormatOptions) => RecordFormat>;

export type FormatName = keyof typeof create;
export const formatNames = Object.keys(create) as FormatName[];
/** Formats whose fields can be named. */
export const formatsWithFields: readonly FormatName[] = ["auto", "json", "msgpack", "avro"];

/** @throws LogGuardianError LG_REGISTRY_MISSING. */
export function createFormat(name: FormatName, options: FormatOptions = {}): RecordFormat {
  return create[name](options);
}
