import type { DecodedLine } from "../line.ts";
import { commonFields, createFieldReader, decodedLine, jsonOf, nameOf, originOf } from "./fields.ts";
import { isObject, type JsonObject } from "./json-object.ts";
import { boundText } from "./text.ts";

/** What a log record of OTLP says, whichever way it is encoded (opentelemetry-proto 1.x, logs/v1/logs.proto). */
export interface OtlpRecord {
  /** When it happened, and when it was seen; nanoseconds as digits, "0" or "" where unknown. */
  time: string;
  observed: string;
  body: unknown;
  attributes: JsonObject;
  /** Of the resource that wrote it. */
  resource: JsonObject;
}

/** Of a body that is no text: what the journald and Windows receivers make. */
const readFields = createFieldReader(commonFields, "otlp");

/** A record without a body, as events are, is a line of its attributes. @throws LogGuardianError LG_RECORD_DEPTH. */
export function lineOfOtlp({ time, observed, body, attributes, resource }: OtlpRecord): DecodedLine {
  const name = (...keys: string[]) => {
    for (const key of keys) {
      const found = nameOf(attributes[key]) ?? nameOf(resource[key]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const origin = originOf({
    host: name("host.name", "k8s.node.name"),
    file: name("log.file.path", "log.file.name"),
    pod: name("k8s.pod.name"),
    container: name("k8s.container.name", "container.name", "container.id"),
  });
  return decodedLine(
    { text: textOf(body ?? attributes), origin },
    millisecondsOf(time) ?? millisecondsOf(observed),
  );
}

/** No number holds nanoseconds since the epoch exactly. */
function millisecondsOf(nanoseconds: string): number | undefined {
  return /^[1-9]\d{6,18}$/.test(nanoseconds) ? Number(nanoseconds.slice(0, -6)) : undefined;
}

function textOf(body: unknown): string {
  if (typeof body === "string") return boundText(body);
  if (isObject(body) && commonFields.line.some((key) => typeof body[key] === "string"))
    return readFields(body).text;
  return boundText(jsonOf(body) ?? "");
}
