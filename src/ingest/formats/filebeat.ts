import { createFieldReader, type Fields } from "./fields.ts";
import { createJsonFormat, type JsonFormat, type JsonObject, objectOf } from "./json-object.ts";

const own: Fields = {
  line: ["message"],
  time: ["@timestamp"],
  host: ["host.name", "agent.name"],
  file: ["log.file.path"],
  pod: ["kubernetes.pod.name"],
  container: ["container.id"],
};

/** Filebeat's Kafka output with its default JSON codec. */
export function createFilebeat(fields: Partial<Fields> = {}): JsonFormat {
  const readFields = createFieldReader({ ...own, ...fields }, "filebeat");
  return createJsonFormat("filebeat", (parsed) => {
    const content = objectOf(parsed, "filebeat");
    const fileOffset = (content.log as JsonObject | undefined)?.offset;
    const line = readFields(content);
    if (typeof fileOffset === "number" && Number.isSafeInteger(fileOffset)) line.fileOffset = fileOffset;
    return [line];
  });
}
