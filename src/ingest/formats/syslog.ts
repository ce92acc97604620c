import { parseSyslog } from "../syslog.ts";
import { decodedLine, nameOf, originOf } from "./fields.ts";
import type { RecordFormat } from "./format.ts";
import { boundText, decodeText } from "./text.ts";

/** RFC 5424 and RFC 3164, and what rsyslog and syslog-ng write to files: a text without such a head is a line as it is. */
export const syslog: RecordFormat = {
  name: "syslog",
  decode({ value, timestamp }) {
    if (value === null || value.length === 0) return [];
    const text = decodeText(value);
    const parsed = parseSyslog(text, timestamp);
    if (parsed === undefined) return [{ text, origin: {} }];
    const line = { text: boundText(parsed.content), origin: originOf({ host: nameOf(parsed.host) }) };
    return [decodedLine(line, parsed.time)];
  },
};
