import { createFieldReader, type Fields } from "./fields.ts";
import type { RecordFormat } from "./format.ts";
import { type JsonObject, parseObject } from "./json-object.ts";

const fields: Fields = {
  line: ["message"],
  time: ["@timestamp"],
  host: ["host.name", "agent.name"],
  file: ["log.file.path"],
  pod: ["kubernetes.pod.name"],
  container: ["container.id"],
};
const readFields = createFieldReader(fields, "filebeat");

/** Filebeat's Kafka output with its default JSON codec. */
export const filebeat: RecordFormat = {
  name: "filebeat",
  decode(record) {
    const content = parseObject(record, "filebeat");
    if (content === undefined) return [];
    const fileOffset = (content.log as JsonObject | undefined)?.offset;
    const line = readFields(content);
    if (typeof fileOffset === "number" && Number.isSafeInteger(fileOffset)) line.fileOffset = fileOffset;
    return [line];
  },
};
