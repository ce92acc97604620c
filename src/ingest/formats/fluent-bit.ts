import type { DecodedLine } from "../line.ts";
import { createFieldReader, type Fields } from "./fields.ts";
import { createJsonFormat, type JsonFormat, type JsonObject, objectOf } from "./json-object.ts";

export const fluentBitFields: Fields = {
  line: ["log", "message", "MESSAGE", "msg"],
  time: ["@timestamp", "date"],
  host: ["kubernetes.host", "host", "_HOSTNAME"],
  file: ["path", "file", "_SYSTEMD_UNIT"],
  pod: ["kubernetes.pod_name"],
  container: ["kubernetes.container_name"],
};

/** Fluent Bit's out_kafka with `format json`: `log` from tail, `MESSAGE` from systemd, pieces of lines from its `cri` parser. */
export function createFluentBit(fields: Partial<Fields> = {}): JsonFormat {
  const readFields = createFieldReader({ ...fluentBitFields, ...fields }, "fluent-bit");
  return createJsonFormat("fluent-bit", (parsed) => {
    const content = objectOf(parsed, "fluent-bit");
    return [{ ...readFields(content), ...pieceOf(content) }];
  });
}

function pieceOf({ logtag, stream }: JsonObject): Pick<DecodedLine, "piece"> {
  return logtag === "P" || logtag === "F"
    ? { piece: { stream: String(stream), isLast: logtag === "F" } }
    : {};
}
