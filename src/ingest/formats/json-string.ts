import { type RecordFormat, refused } from "./format.ts";
import { parseJson } from "./json-object.ts";
import { boundText } from "./text.ts";

/** A line as a JSON string, as OpenTelemetry's kafkaexporter writes it with `encoding: raw`. */
export const jsonString: RecordFormat = {
  name: "json-string",
  decode(record) {
    const content = parseJson(record, "json-string");
    if (content === undefined) return [];
    if (typeof content !== "string")
      throw refused("LG_RECORD_JSON", "A json-string record is not a JSON string.");
    return [{ text: boundText(content), origin: {} }];
  },
};
