import { createFieldReader, type Fields } from "./fields.ts";
import { createJsonFormat, type JsonFormat, objectOf } from "./json-object.ts";

/** A shipper's JSON: one object a record, one line an object, under names of its own where the pipeline names none. */
export function createShipperJson(name: string, own: Fields): (fields?: Partial<Fields>) => JsonFormat {
  return (fields = {}) => {
    const readFields = createFieldReader({ ...own, ...fields }, name);
    return createJsonFormat(name, (content) => [readFields(objectOf(content, name))]);
  };
}
