import type { DecodedLine } from "../line.ts";
import type { Fields } from "./fields.ts";
import type { JsonObject } from "./json-object.ts";
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
export const createFluentBit = createShipperJson("fluent-bit", fluentBitFields, pieceIn);

/** What the `cri` parser says of a line. */
export function pieceIn({ logtag, stream }: JsonObject): Pick<DecodedLine, "piece"> {
  return logtag === "P" || logtag === "F"
    ? { piece: { stream: String(stream), isLast: logtag === "F" } }
    : {};
}
