import type { Fields } from "./fields.ts";
import { createShipperJson } from "./shipper-json.ts";

const fields: Fields = {
  line: ["short_message", "full_message"],
  time: ["timestamp"],
  host: ["host"],
  file: ["_file", "file", "_log_file_path"],
  pod: ["_kubernetes_pod_name", "_pod_name"],
  container: ["_container_name", "_container_id", "_kubernetes_container_name"],
};

/** Graylog Extended Log Format 1.1: `short_message` is the line, `timestamp` seconds. */
export const createGelf = createShipperJson("gelf", fields);
