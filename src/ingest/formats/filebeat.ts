import type { Fields } from "./fields.ts";
import type { JsonObject } from "./json-object.ts";
import { createShipperJson } from "./shipper-json.ts";

const fields: Fields = {
  line: ["message"],
  time: ["@timestamp"],
  host: ["host.name", "agent.name"],
  file: ["log.file.path"],
  pod: ["kubernetes.pod.name"],
  container: ["container.id"],
};

/** Filebeat's Kafka output with its default JSON codec. */
export const createFilebeat = createShipperJson("filebeat", fields, ({ log }) => {
  const fileOffset = (log as JsonObject | undefined)?.offset;
  return typeof fileOffset === "number" && Number.isSafeInteger(fileOffset) ? { fileOffset } : {};
});
