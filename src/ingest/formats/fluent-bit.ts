import type { Fields } from "./fields.ts";
import { createShipperJson } from "./shipper-json.ts";

export const fluentBitFields: Fields = {
  line: ["log", "message", "MESSAGE", "msg"],
  time: ["@timestamp", "date"],
  host: ["kubernetes.host", "host", "_HOSTNAME"],
  file: ["path", "file", "_SYSTEMD_UNIT"],
  pod: ["kubernetes.pod_name"],
  container: ["kubernetes.container_name"],
};

/** Fluent Bit's out_kafka with `format json`: `log` from tail, `MESSAGE` from systemd, pieces of lines from its `cri` parser. */
export const createFluentBit = createShipperJson("fluent-bit", fluentBitFields, ({ logtag, stream }) =>
  logtag === "P" || logtag === "F" ? { piece: { stream: String(stream), isLast: logtag === "F" } } : {},
);
