import { shortened } from "../../cut-to-fit.ts";
import type { DecodedLine, Origin } from "../line.ts";
import { timeOf } from "../time.ts";
import { refused } from "./format.ts";
import type { JsonObject } from "./json-object.ts";
import { boundText, decodeText } from "./text.ts";

/** Where an object holds what makes a line: for each, the paths that may hold it, the best first. `a.b` is b within a, or one key. */
export interface Fields {
  line: readonly string[];
  time: readonly string[];
  host: readonly string[];
  file: readonly string[];
  pod: readonly string[];
  container: readonly string[];
}

/** What JSON without a format of its own calls them: Logstash, Fluentd, syslog-ng, journald, ECS, loggers of all kinds. */
export const commonFields: Fields = {
  line: ["message", "log", "msg", "MESSAGE", "short_message", "body", "event.original"],
  time: ["@timestamp", "timestamp", "time", "ts", "date", "ISODATE"],
  host: ["host.name", "host", "hostname", "HOST", "_HOSTNAME", "kubernetes.host", "kubernetes.node.name"],
  file: ["log.file.path", "file", "path", "filename", "_SYSTEMD_UNIT"],
  pod: ["kubernetes.pod.name", "kubernetes.pod_name"],
  container: ["kubernetes.container.name", "kubernetes.container_name", "container.id", "container_id"],
};

/** Names of hosts, files and pods are shorter; what is longer would make a line too large to send. */
const maxNameCharacters = 1024;

/** Reads an object's line. @throws LogGuardianError LG_RECORD_NO_LINE. */
export function createFieldReader(fields: Fields, format: string): (content: JsonObject) => DecodedLine {
  const pathsOf = (field: keyof Fields) =>
    fields[field].map((name): Path => ({ name, path: name.split(".") }));
  const paths = {
    line: pathsOf("line"),
    time: pathsOf("time"),
    host: pathsOf("host"),
    file: pathsOf("file"),
    pod: pathsOf("pod"),
    container: pathsOf("container"),
  };
  const nameIn = (content: JsonObject, field: keyof Fields) =>
    first(paths[field], (path) => nameOf(at(content, path)));
  return (content) =>
    decodedLine(
      {
        text: lineIn(content, paths.line, format),
        origin: originOf({
          host: nameIn(content, "host"),
          file: nameIn(content, "file"),
          pod: nameIn(content, "pod"),
          container: nameIn(content, "container"),
        }),
      },
      first(paths.time, (path) => timeOf(at(content, path))),
    );
}

interface Path {
  name: string;
  path: readonly string[];
}

/** Text where there is some, else the first other value as JSON. @throws LogGuardianError LG_RECORD_NO_LINE, LG_RECORD_DEPTH. */
function lineIn(content: JsonObject, paths: readonly Path[], format: string): string {
  const line =
    first(paths, (path) => textOf(at(content, path))) ?? first(paths, (path) => jsonOf(at(content, path)));
  if (line !== undefined) return boundText(line);
  throw refused(
    "LG_RECORD_NO_LINE",
    `A ${format} record holds no line under ${paths.map(({ name }) => name).join(", ")}.`,
    undefined,
    "Name the field that holds it with `fields: { line: … }` of the pipeline, or check its format.",
  );
}

/** Text, or bytes that are some: MessagePack and Avro have both. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? decodeText(Buffer.from(value)) : undefined;
}

/** A value that is no text as JSON; undefined where there is none. @throws LogGuardianError LG_RECORD_DEPTH. */
export function jsonOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  try {
    return JSON.stringify(value);
  } catch (thrown) {
    throw refused("LG_RECORD_DEPTH", "A record's line is nested too deep to be written as text.", thrown);
  }
}

function at(content: JsonObject, { name, path }: Path): unknown {
  if (path.length === 1 || Object.hasOwn(content, name)) return content[name];
  let found: unknown = content;
  for (const key of path)
    found = typeof found === "object" && found !== null ? (found as JsonObject)[key] : undefined;
  return found;
}

function first<T, Found>(all: readonly T[], find: (one: T) => Found | undefined): Found | undefined {
  for (const one of all) {
    const found = find(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The name of a host, file, pod or container, bounded. */
export function nameOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? shortened(value, maxNameCharacters) : undefined;
}

/** Leaves out what is undefined: an origin names only what is known. */
export function originOf({
  host,
  file,
  pod,
  container,
}: { [K in keyof Origin]: string | undefined }): Origin {
  const origin: Origin = {};
  if (host !== undefined) origin.host = host;
  if (file !== undefined) origin.file = file;
  if (pod !== undefined) origin.pod = pod;
  if (container !== undefined) origin.container = container;
  return origin;
}

export function decodedLine(line: DecodedLine, time: number | undefined): DecodedLine {
  return time === undefined ? line : { ...line, time };
}
