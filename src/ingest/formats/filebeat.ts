import type { Origin } from "../line.ts";
import type { RecordFormat } from "./format.ts";
import {
  decodedLine,
  defined,
  type JsonObject,
  lineOf,
  parseObject,
  stringAt,
  timeOf,
} from "./json-record.ts";

/** Filebeat's Kafka output with its default JSON codec. */
export const filebeat: RecordFormat = {
  name: "filebeat",
  decode(record) {
    const content = parseObject(record, "filebeat");
    if (content === undefined) return [];
    const origin = defined<Origin>({
      host: stringAt(content, "host", "name") ?? stringAt(content, "agent", "name"),
      file: stringAt(content, "log", "file", "path"),
      pod: stringAt(content, "kubernetes", "pod", "name"),
      container: stringAt(content, "container", "id"),
    });
    const fileOffset = (content.log as JsonObject | undefined)?.offset;
    const line = { text: lineOf(content, ["message"], "filebeat"), origin };
    const time = timeOf(content["@timestamp"]);
    return [
      decodedLine(
        typeof fileOffset === "number" && Number.isSafeInteger(fileOffset) ? { ...line, fileOffset } : line,
        time,
      ),
    ];
  },
};
