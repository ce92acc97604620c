import type { DecodedLine } from "../line.ts";
import { createFieldReader, type Fields } from "./fields.ts";
import { createJsonFormat, type JsonFormat, type JsonObject, objectOf } from "./json-object.ts";

/**
 * A shipper's JSON: one object a record, one line an object, under names of its own where the pipeline names none.
 * @param more what else this shipper says of a line.
 */
export function createShipperJson(
  name: string,
  own: Fields,
  more?: (content: JsonObject) => Partial<DecodedLine>,
): (fields?: Partial<Fields>) => JsonFormat {
  return (fields = {}) => {
    const readFields = createFieldReader({ ...own, ...fields }, name);
    return createJsonFormat(name, (parsed) => {
      const content = objectOf(parsed, name);
      const line = readFields(content);
      return [more === undefined ? line : Object.assign(line, more(content))];
    });
  };
}
