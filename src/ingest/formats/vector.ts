import type { Fields } from "./fields.ts";
import { createShipperJson } from "./shipper-json.ts";

const fields: Fields = {
  line: ["message"],
  time: ["timestamp"],
  host: ["kubernetes.pod_node_name", "host", "hostname"],
  file: ["file", "_SYSTEMD_UNIT"],
  pod: ["kubernetes.pod_name"],
  container: ["kubernetes.container_name", "container_name", "container_id"],
};

/** Vector's kafka sink with `encoding.codec: json`, its legacy log namespace. */
export const createVector = createShipperJson("vector", fields);
