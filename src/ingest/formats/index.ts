import type { SchemaRegistry } from "../schema-registry.ts";
import { createAuto } from "./auto.ts";
import { createAvro } from "./avro.ts";
import type { Fields } from "./fields.ts";
import { filebeat } from "./filebeat.ts";
import { fluentBit } from "./fluent-bit.ts";
import type { RecordFormat } from "./format.ts";
import { gelf } from "./gelf.ts";
import { createJson } from "./json.ts";
import { jsonString } from "./json-string.ts";
import { createMsgpack } from "./msgpack.ts";
import { otlpJson } from "./otlp-json.ts";
import { otlpProto } from "./otlp-proto.ts";
import { syslog } from "./syslog.ts";
import { text } from "./text.ts";
import { vector } from "./vector.ts";

export type { RecordFormat } from "./format.ts";

export interface FormatOptions {
  /** Of `avro`, and of `auto` where Avro may come. */
  registry?: SchemaRegistry | undefined;
  /** Of `json`, `msgpack` and `avro`: where they hold the line and its origin, instead of the usual places. */
  fields?: Partial<Fields> | undefined;
}

/** Every record format by the name that the configuration uses. */
const create = {
  auto: ({ registry, fields }) =>
    createAuto({
      json: createJson(fields),
      msgpack: createMsgpack(fields),
      avro: registry === undefined ? undefined : createAvro(registry, fields),
    }),
  filebeat: () => filebeat,
  "fluent-bit": () => fluentBit,
  vector: () => vector,
  "otlp-json": () => otlpJson,
  "otlp-proto": () => otlpProto,
  gelf: () => gelf,
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
