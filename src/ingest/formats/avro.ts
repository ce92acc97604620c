import { LogGuardianError, reasonOf } from "../../errors.ts";
import type { SchemaRegistry } from "../schema-registry.ts";
import { assertSound } from "./avro-shape.ts";
import { commonFields, createFieldReader, type Fields } from "./fields.ts";
import { type RecordFormat, refused } from "./format.ts";
import { assertSize, isObject } from "./json-object.ts";

/** Confluent's framing: a magic byte, the schema's id of four bytes or its GUID of sixteen, then the body. */
const idMagic = 0;
const guidMagic = 1;

/** Avro with its schemas in a registry. @throws LogGuardianError LG_REGISTRY_MISSING without one. */
export function createAvro(registry: SchemaRegistry | undefined, fields: Partial<Fields> = {}): RecordFormat {
  if (registry === undefined)
    throw new LogGuardianError(
      "LG_REGISTRY_MISSING",
      "The format avro needs a schema registry, and none is configured.",
      "Set schemaRegistry.url in the configuration.",
    );
  const readFields = createFieldReader({ ...commonFields, ...fields }, "avro");
  return {
    name: "avro",
    async prepare(records) {
      const wanted = new Set<string>();
      for (const { value } of records) {
        const framed = value === null ? undefined : frameOf(value);
        if (framed !== undefined) wanted.add(framed.schema);
      }
      await registry.load(wanted);
    },
    decode({ value }) {
      if (value === null || value.length === 0) return [];
      assertSize(value, "avro");
      const framed = frameOf(value);
      if (framed === undefined)
        throw refused("LG_RECORD_AVRO", "An avro record does not begin with the id of a schema.");
      const type = registry.typeOf(framed.schema);
      let content: unknown;
      try {
        assertSound(type, framed.body);
        content = type.fromBuffer(framed.body);
      } catch (thrown) {
        throw refused(
          "LG_RECORD_AVRO",
          `An avro record does not follow its schema ${framed.schema}: ${reasonOf(thrown)}.`,
          thrown,
        );
      }
      if (!isObject(content))
        throw refused("LG_RECORD_AVRO", `The schema ${framed.schema} of an avro record is no record.`);
      return [readFields(content)];
    },
  };
}

/** The schema's id or GUID, as text, and the body. */
function frameOf(value: Buffer): { schema: string; body: Buffer } | undefined {
  if (value[0] === idMagic && value.length > 5)
    return { schema: String(value.readUInt32BE(1)), body: value.subarray(5) };
  if (value[0] === guidMagic && value.length > 17) {
    const hex = value.toString("hex", 1, 17);
    const guid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    return { schema: guid, body: value.subarray(17) };
  }
  return undefined;
}
