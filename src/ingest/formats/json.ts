import { commonFields, createFieldReader, type Fields } from "./fields.ts";
import { assertLines, type RecordFormat } from "./format.ts";
import { objectOf, parseJson } from "./json-object.ts";

/** JSON of any shipper: an object is one line, an array as many as it has objects. `fields` replaces where they are found. */
export function createJson(fields: Partial<Fields> = {}): RecordFormat {
  const readFields = createFieldReader({ ...commonFields, ...fields }, "json");
  return {
    name: "json",
    decode(record) {
      const content = parseJson(record, "json");
      if (content === undefined) return [];
      const all = Array.isArray(content) ? content : [content];
      assertLines(all.length, "json");
      return all.map((one) => readFields(objectOf(one, "json")));
    },
  };
}
