import { createFieldReader, type Fields } from "./fields.ts";
import type { RecordFormat } from "./format.ts";
import { parseObject } from "./json-object.ts";

export const fluentBitFields: Fields = {
  line: ["log", "message", "MESSAGE", "msg"],
  time: ["@timestamp", "date"],
  host: ["kubernetes.host", "host", "_HOSTNAME"],
  file: ["path", "file", "_SYSTEMD_UNIT"],
  pod: ["kubernetes.pod_name"],
  container: ["kubernetes.container_name"],
};
const readFields = createFieldReader(fluentBitFields, "fluent-bit");

/** Fluent Bit's out_kafka with `format json`: `log` from tail, `MESSAGE` from systemd. */
export const fluentBit: RecordFormat = {
  name: "fluent-bit",
  decode(record) {
    const content = parseObject(record, "fluent-bit");
    return content === undefined ? [] : [readFields(content)];
  },
};
