import { RE2JS } from "re2js";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { parseSyslog } from "./syslog.ts";
import { bsdTime, isoTime, timeOf } from "./time.ts";

/** What stands before the content of a line, by the name of the system that writes it. */
export interface Layout {
  /** Fields of a line that fits; undefined for one that does not, which is then all content. `near`: as of `parseSyslog`. */
  parse(text: string, near?: number): { fields: Record<string, string>; time?: number } | undefined;
}

const none: Layout = { parse: () => undefined };

/** `081109 203530 147 INFO dfs.DataNode$DataXceiver: Receiving block …`, in UTC. */
const hdfs: Layout = {
  parse(text) {
    const found = /^(\d\d)(\d\d)(\d\d) (\d\d)(\d\d)(\d\d) (\d+) ([A-Z]+) ([^ ]+): (.*)$/s.exec(text);
    if (found === null) return undefined;
    const [, year, month, day, hour, minute, second, pid = "", level = "", component = "", content = ""] =
      found;
    const time = Date.UTC(
      2000 + Number(year),
      Number(month) - 1,
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
    );
    return { fields: { pid, level, component, content }, time };
  },
};

/** Label, epoch, date, node, `2005-06-03-15.42.50.675872`, node, type, component, level, content. The label is left behind. */
const bgl: Layout = {
  parse(text) {
    const found =
      /^\S+ (\d+) \S+ (\S+) \d{4}-\d\d-\d\d-\d\d\.\d\d\.\d\d\.(\d{6}) \S+ (\S+) (\S+) (\S+)(?: (.*))?$/s.exec(
        text,
      );
    if (found === null) return undefined;
    const [, seconds, node = "", micros, type = "", component = "", level = "", content = ""] = found;
    const time = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    return { fields: { node, type, component, level, content }, time };
  },
};

/** Thunderbird, Liberty and Spirit: label, epoch, date, node, month, day, time, address, content. */
const thunderbird: Layout = {
  parse(text) {
    const found = /^\S+ (\d+) \d{4}\.\d\d\.\d\d (\S+) [A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d (\S+) (.*)$/s.exec(
      text,
    );
    if (found === null) return undefined;
    const [, seconds, node = "", address = "", content = ""] = found;
    return { fields: { node, address, content }, time: Number(seconds) * 1000 };
  },
};

/** `2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.….MRAppMaster: content`; the zone is not told, taken as UTC. */
const hadoop: Layout = {
  parse(text) {
    const found = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d),(\d{3}) ([A-Z]+) \[(.*?)\] (\S+): (.*)$/s.exec(
      text,
    );
    if (found === null) return undefined;
    const [year = 0, month = 1, day, hour, minute, second, millisecond] = found.slice(1, 8).map(Number);
    const [level = "", thread = "", component = "", content = ""] = found.slice(8);
    const time = Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
    return { fields: { level, thread, component, content }, time };
  },
};

/** `Dec 10 06:55:46 LabSZ sshd[24200]: content`, RFC 3164 and 5424, and with RFC 3339 times. */
const syslog: Layout = {
  parse(text, near = Date.now()) {
    const parsed = parseSyslog(text, near);
    if (parsed === undefined) return undefined;
    const { time, host = "", program = "", pid = "", content } = parsed;
    return {
      fields: { host, program, component: program, pid, content },
      ...(time === undefined ? {} : { time }),
    };
  },
};

/** log4j, logback and kin: `2015-10-18 18:01:47,978 INFO  [main] org.apache.Foo: content`, thread and level in either order. */
const log4j: Layout = {
  parse(text) {
    const found =
      /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?) +(?:\[([^\]]*)\] +)?(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL) +(?:\[([^\]]*)\] +)?([^\s:]+)(?::| +-) ?(.*)$/s.exec(
        text,
      );
    if (found === null) return undefined;
    const [, stamp = "", before, level = "", after, component = "", content = ""] = found;
    const time = isoTime(stamp);
    return {
      fields: { level, thread: before ?? after ?? "", component, content },
      ...(time === undefined ? {} : { time }),
    };
  },
};

/** nginx' access log (combined; the address and the user are left behind) and its error log. */
const nginx: Layout = {
  parse(text) {
    const access =
      /^\S+ - \S+ \[(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})\] (".*)$/s.exec(text);
    if (access !== null) {
      const [, day = "", month = "", year = "", clock = "", zone = "", content = ""] = access;
      const time = Date.parse(`${day} ${month} ${year} ${clock} ${zone}`);
      return { fields: { component: "access", content }, ...(Number.isNaN(time) ? {} : { time }) };
    }
    const error = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d) \[(\w+)\] (\d+)#\d+: (?:\*\d+ )?(.*)$/s.exec(
      text,
    );
    if (error === null) return undefined;
    const [, year, month, day, clock, level = "", pid = "", content = ""] = error;
    const time = isoTime(`${year}-${month}-${day}T${clock}`);
    return { fields: { component: "error", level, pid, content }, ...(time === undefined ? {} : { time }) };
  },
};

export const layouts = { none, hdfs, bgl, thunderbird, hadoop, syslog, log4j, nginx } satisfies Record<
  string,
  Layout
>;
export type LayoutName = keyof typeof layouts;
export const layoutNames = Object.keys(layouts) as LayoutName[];

/** A layout by name, or one's own: an RE2 expression with the group `content`, and others by their names. */
export type LayoutSpec = LayoutName | { pattern: string };

/** @throws LogGuardianError LG_LAYOUT_PATTERN. */
export function createLayout(spec: LayoutSpec): Layout {
  if (typeof spec === "string") return layouts[spec];
  const refuse = (what: string, cause?: unknown) =>
    new LogGuardianError(
      "LG_LAYOUT_PATTERN",
      `The layout's pattern ${JSON.stringify(spec.pattern)} ${what}.`,
      "Write an RE2 expression such as '^(?P<time>\\S+) (?P<level>[A-Z]+) (?P<content>.*)$'.",
      cause,
    );
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(spec.pattern, RE2JS.DOTALL);
  } catch (thrown) {
    throw refuse(`is not a valid RE2 expression: ${reasonOf(thrown)}`, thrown);
  }
  const names = Object.keys(pattern.namedGroups());
  if (!names.includes("content")) throw refuse("has no group named content");
  return {
    parse(text, near = Date.now()) {
      const matcher = pattern.matcher(text);
      if (!matcher.find()) return undefined;
      const fields = Object.fromEntries(names.map((name) => [name, matcher.group(name) ?? ""]));
      const time =
        fields.time === undefined ? undefined : (timeOf(fields.time) ?? bsdTime(fields.time, near));
      return { fields, ...(time === undefined ? {} : { time }) };
    },
  };
}

/** Puts fields into a text template such as `{component} {level}: {content}`; a field the layout does not know is empty. */
export function render(template: string, fields: Record<string, string>): string {
  if (template === "{content}") return fields.content ?? "";
  return template.replace(/\{(\w+)\}/g, (_, name: string) => fields[name] ?? "").trim();
}
