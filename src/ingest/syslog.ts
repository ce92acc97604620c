import { bsdTime, isoTime } from "./time.ts";

/** A line of syslog without its head. */
export interface SyslogLine {
  /** Milliseconds since the epoch. */
  time?: number;
  host?: string;
  program?: string;
  pid?: string;
  content: string;
}

const rfc5424 =
  /^<\d{1,3}>\d{1,2} (\S+) (\S+) (\S+) (\S+) \S+ (?:-|((?:\[(?:[^\]\\]|\\.)*\])+))(?: \uFEFF?(.*))?$/s;
/** A time, the host, and the rest; RFC 3164, or with RFC 3339 times as rsyslog and syslog-ng write files. */
const rfc3164 =
  /^(?:<\d{1,3}>)?(\d{4}-\d\d-\d\dT\S+|[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?) (\S+) ?(.*)$/s;
/** `sshd[24200]: `, `sshd(pam_unix)[19939] : `, `kernel: `. A first word without pid and colon belongs to what is said. */
const tag = /^([^\s:[\]]{1,64})(?:\[([^\]\s]{0,64})\](?: ?:)?|:)(?=\s|$) ?/;

/**
 * undefined where the text has no head of syslog. A line without a message is its structured data, else all of it.
 * `near`: about when it was written, for times without a year; milliseconds.
 */
export function parseSyslog(text: string, near: number): SyslogLine | undefined {
  const structured = rfc5424.exec(text);
  if (structured !== null) {
    const [, time = "", host, program, pid, data = text, message] = structured;
    return withoutNil({ time: isoTime(time), host, program, pid, content: message?.trim() ? message : data });
  }
  const found = rfc3164.exec(text);
  if (found === null) return undefined;
  const [, stamp = "", host = "", rest = ""] = found;
  const time = isoTime(stamp) ?? bsdTime(stamp, near);
  if (time === undefined) return undefined;
  // Written by a program of this host itself, without its name.
  if (/[:\]]$/.test(host)) return withoutNil({ time, ...taggedContent(`${host} ${rest}`, text) });
  return withoutNil({ time, host, ...taggedContent(rest, text) });
}

function taggedContent(rest: string, text: string): { program?: string; pid?: string; content: string } {
  const [whole = "", program, pid] = tag.exec(rest) ?? [];
  const content = rest.slice(whole.length);
  return {
    ...(program === undefined ? {} : { program }),
    ...(pid === undefined ? {} : { pid }),
    content: content.trim() ? content : text,
  };
}

/** `-` is syslog's sign for what is not known. */
function withoutNil(parts: { [K in keyof SyslogLine]: SyslogLine[K] | undefined }): SyslogLine {
  const known = Object.entries(parts).filter(
    ([name, value]) => value !== undefined && (name === "content" || value !== "-"),
  );
  return Object.fromEntries(known) as unknown as SyslogLine;
}
