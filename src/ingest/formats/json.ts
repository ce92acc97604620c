import { commonFields, createFieldReader, type Fields } from "./fields.ts";
import { assertLines } from "./format.ts";
import { createJsonFormat, type JsonFormat, objectOf } from "./json-object.ts";
import { boundText } from "./text.ts";

/**
 * JSON of any shipper: an object is one line, an array as many as it has objects, or texts. `fields` replaces where they
 * are found.
 */
export function createJson(fields: Partial<Fields> = {}): JsonFormat {
  const readFields = createFieldReader({ ...commonFields, ...fields }, "json");
  return createJsonFormat("json", (content) => {
    const all = Array.isArray(content) ? content : [content];
    assertLines(all.length, "json");
    return all.map((one) =>
      typeof one === "string" && Array.isArray(content)
        ? { text: boundText(one), origin: {} }
        : readFields(objectOf(one, "json")),
    );
  });
}
