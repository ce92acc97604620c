import { createFieldReader, type Fields } from "./fields.ts";
import type { RecordFormat } from "./format.ts";
import { parseObject } from "./json-object.ts";

/** A shipper's JSON: one object a record, one line an object, under names of its own. */
export function createShipperJson(name: string, fields: Fields): RecordFormat {
  const readFields = createFieldReader(fields, name);
  return {
    name,
    decode(record) {
      const content = parseObject(record, name);
      return content === undefined ? [] : [readFields(content)];
    },
  };
}
