import { refused } from "./format.ts";
import { createJsonFormat } from "./json-object.ts";
import { boundText } from "./text.ts";

/** A line as a JSON string, as OpenTelemetry's kafkaexporter writes it with `encoding: raw`. */
export const jsonString = createJsonFormat("json-string", (content) => {
  if (typeof content !== "string")
    throw refused("LG_RECORD_JSON", "A json-string record is not a JSON string.");
  return [{ text: boundText(content), origin: {} }];
});
