import { collectLines, refused } from "./format.ts";
import { createJsonFormat, isObject, type JsonObject, objectOf } from "./json-object.ts";
import { lineOfOtlp } from "./otlp.ts";

/** OTLP's JSON encoding: `{"resourceLogs": […]}`, 64-bit numbers as text. */
export const otlpJson = createJsonFormat("otlp-json", (parsed) => {
  const content = objectOf(parsed, "otlp-json");
  if (!Array.isArray(content.resourceLogs))
    throw refused(
      "LG_RECORD_NO_LINE",
      "An otlp-json record has no resourceLogs: metrics and traces are no logs.",
    );
  const { lines, push } = collectLines("otlp-json");
  for (const resourceLogs of objectsIn(content.resourceLogs)) {
    const resource = attributesOf(isObject(resourceLogs.resource) ? resourceLogs.resource : {});
    for (const scopeLogs of objectsIn(resourceLogs.scopeLogs))
      for (const log of objectsIn(scopeLogs.logRecords))
        push(
          lineOfOtlp({
            time: digitsOf(log.timeUnixNano),
            observed: digitsOf(log.observedTimeUnixNano),
            body: anyValue(log.body),
            attributes: attributesOf(log),
            resource,
          }),
        );
  }
  if (lines.length === 0)
    throw refused("LG_RECORD_NO_LINE", "An otlp-json record holds no log record that can be read.");
  return lines;
});

function objectsIn(list: unknown): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function attributesOf({ attributes }: JsonObject): JsonObject {
  return pairsOf(attributes);
}

/** KeyValue[] as an object. */
function pairsOf(list: unknown): JsonObject {
  return Object.fromEntries(
    objectsIn(list).map(({ key, value }) => [typeof key === "string" ? key : "", anyValue(value)]),
  );
}

function digitsOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** What an AnyValue holds. */
function anyValue(value: unknown): unknown {
  if (!isObject(value)) return undefined;
  const [[kind, held] = ["", undefined]] = Object.entries(value);
  if (kind === "intValue" || kind === "doubleValue") return Number(held);
  if (kind === "arrayValue") return isObject(held) ? objectsIn(held.values).map(anyValue) : [];
  if (kind === "kvlistValue") return isObject(held) ? pairsOf(held.values) : {};
  return held;
}
