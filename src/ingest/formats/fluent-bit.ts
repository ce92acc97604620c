import type { Origin } from "../line.ts";
import type { RecordFormat } from "./format.ts";
import { decodedLine, defined, lineOf, parseObject, stringAt, timeOf } from "./json-record.ts";

/** Fluent Bit's out_kafka with `format json`: `log` from tail, `MESSAGE` from systemd. */
export const fluentBit: RecordFormat = {
  name: "fluent-bit",
  decode(record) {
    const content = parseObject(record, "fluent-bit");
    if (content === undefined) return [];
    const origin = defined<Origin>({
      host:
        stringAt(content, "kubernetes", "host") ??
        stringAt(content, "host") ??
        stringAt(content, "_HOSTNAME"),
      file: stringAt(content, "path") ?? stringAt(content, "file") ?? stringAt(content, "_SYSTEMD_UNIT"),
      pod: stringAt(content, "kubernetes", "pod_name"),
      container: stringAt(content, "kubernetes", "container_name"),
    });
    const text = lineOf(content, ["log", "message", "MESSAGE", "msg"], "fluent-bit");
    return [decodedLine({ text, origin }, timeOf(content["@timestamp"]) ?? timeOf(content.date))];
  },
};
