import { createFieldReader, type Fields } from "./fields.ts";
import type { RecordFormat } from "./format.ts";
import { parseObject } from "./json-object.ts";

const fields: Fields = {
  line: ["message"],
  time: ["timestamp"],
  host: ["kubernetes.pod_node_name", "host", "hostname"],
  file: ["file", "_SYSTEMD_UNIT"],
  pod: ["kubernetes.pod_name"],
  container: ["kubernetes.container_name", "container_name", "container_id"],
};
const readFields = createFieldReader(fields, "vector");

/** Vector's kafka sink with `encoding.codec: json`, its legacy log namespace. */
export const vector: RecordFormat = {
  name: "vector",
  decode(record) {
    const content = parseObject(record, "vector");
    return content === undefined ? [] : [readFields(content)];
  },
};
