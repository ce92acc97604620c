import type { RawRecord } from "../line.ts";
import type { RecordFormat } from "./format.ts";

/** Each topic's records in a format of their own. @param others of a topic that is not among them. */
export function createFormatByTopic(
  formats: ReadonlyMap<string, RecordFormat>,
  others: RecordFormat,
): RecordFormat {
  const formatOf = ({ topic }: RawRecord) => formats.get(topic) ?? others;
  return {
    name: "by topic",
    decode: (record, onChoice) => formatOf(record).decode(record, onChoice),
    async prepare(records) {
      for (const [format, own] of Map.groupBy(records, formatOf)) await format.prepare?.(own);
    },
  };
}
