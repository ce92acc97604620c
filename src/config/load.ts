import { existsSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { Value } from "typebox/value";
import { parseDocument, stringify } from "yaml";
import { ownLabels } from "../alert/alert.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { Fields } from "../ingest/formats/fields.ts";
import { type FormatName, formatsWithFields } from "../ingest/formats/index.ts";
import { createKeys, type KeySpec } from "../ingest/keys.ts";
import { createLayout } from "../ingest/layouts.ts";
import { createMasker } from "../mask/masker.ts";
import { compileEnd } from "../window/session.ts";
import { problemOfTime } from "../window/time.ts";
import type { WindowSpec } from "../window/window.ts";
import { mainToken } from "./api-schema.ts";
import { applyEnvironment } from "./environment.ts";
import {
  detectPipeline,
  type PipelineConfig,
  pipelineSchema,
  type WindowConfig,
  windowSchemas,
} from "./pipeline-schema.ts";
import { type Problem, problemsOf } from "./problem.ts";
import { type Config, configSchema } from "./schema.ts";
import { bytes, milliseconds } from "./units.ts";
import { hasCredentials, withoutSecrets } from "./url.ts";

export const defaultConfigFile = "logguardian.yaml";

/**
 * The configuration of a process: a YAML file, overridden by environment variables, completed by defaults.
 * @throws LogGuardianError LG_CONFIG_FILE where it cannot be read, LG_CONFIG with every problem and its path.
 */
export function loadConfig(
  path: string | undefined,
  environment: Record<string, string | undefined> = process.env,
): Config {
  return readConfig(path, environment, { needsPipelines: true });
}

function readConfig(
  path: string | undefined,
  environment: Record<string, string | undefined>,
  options: ParseOptions,
): Config {
  const file = path ?? environment.LOGGUARDIAN_CONFIG ?? defaultConfigFile;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (thrown) {
    throw new LogGuardianError(
      "LG_CONFIG_FILE",
      `The configuration ${file} cannot be read: ${reasonOf(thrown)}.`,
      "Give its path with --config; docs/logguardian.example.yaml is one to begin with.",
      thrown,
    );
  }
  return parseConfig(text, file, environment, options);
}

/** For what needs no pipeline: where no file is named and none lies here, the defaults and the environment. */
export function loadConfigOrDefaults(
  path: string | undefined,
  environment: Record<string, string | undefined> = process.env,
): Config {
  if (isThere(path, environment)) return loadConfig(path, environment);
  return parseConfig("", "the environment", environment, { needsPipelines: false });
}

/**
 * For the API, which works by itself: what a file that may name no pipeline says, where there is one, and the environment.
 * `isEmbedded`: no pipeline is named, so that there is nothing of which Kafka or Redis could know.
 * @throws LogGuardianError LG_CONFIG_FILE, LG_CONFIG.
 */
export function loadConfigOfApi(
  path: string | undefined,
  environment: Record<string, string | undefined> = process.env,
): { config: Config; isEmbedded: boolean } {
  const config = isThere(path, environment)
    ? readConfig(path, environment, { needsPipelines: false })
    : loadConfigOrDefaults(path, environment);
  return { config, isEmbedded: Object.keys(config.pipelines).length === 0 };
}

function isThere(path: string | undefined, environment: Record<string, string | undefined>): boolean {
  return path !== undefined || environment.LOGGUARDIAN_CONFIG !== undefined || existsSync(defaultConfigFile);
}

interface ParseOptions {
  needsPipelines: boolean;
}

/** @throws LogGuardianError LG_CONFIG. */
export function parseConfig(
  text: string,
  file: string,
  environment: Record<string, string | undefined> = {},
  { needsPipelines }: ParseOptions = { needsPipelines: true },
): Config {
  const document = parseDocument(text);
  const problems: Problem[] = document.errors.map(({ message }) => ({
    path: file,
    what: firstLine(message),
  }));
  if (problems.length > 0) throw refuse(file, problems);
  let content: Record<string, unknown>;
  try {
    content = document.toJS() ?? {};
  } catch (thrown) {
    throw refuse(file, [{ path: file, what: firstLine(reasonOf(thrown)) }]);
  }
  problems.push(...applyEnvironment(content, environment));
  Value.Default(configSchema, content);
  problems.push(...problemsOf(configSchema, content));
  if (needsPipelines && isDeepStrictEqual(content.pipelines, {}))
    problems.push({ path: "pipelines", what: "is missing" });
  for (const [name, pipeline] of Object.entries(content.pipelines ?? {}))
    problems.push(...problemsOfPipeline(name, pipeline));
  if (problems.length === 0)
    problems.push(
      ...problemsOfUrls(content as Config),
      ...problemsOfRedis(content as Config),
      ...problemsOfAlertmanager(content as Config),
      ...problemsOfRegistry(content as Config),
      ...problemsOfTokens(content as Config),
    );
  if (problems.length > 0) throw refuse(file, problems);
  return content as Config;
}

/** The pipeline of this name. @throws LogGuardianError LG_USAGE where the configuration has none. */
export function pipelineOf({ pipelines }: Config, name: string): PipelineConfig {
  const pipeline = Object.hasOwn(pipelines, name) ? pipelines[name] : undefined;
  if (pipeline !== undefined) return pipeline;
  throw new LogGuardianError(
    "LG_USAGE",
    `There is no pipeline ${name}.`,
    `The configuration has ${Object.keys(pipelines).join(", ")}.`,
  );
}

/** No URLs, and credentials that would be ignored, or that the client behind them refuses with a URL in its message. */
function problemsOfUrls({ redis, alertmanager, schemaRegistry, api }: Config): Problem[] {
  const problems: Problem[] = [];
  const check = (path: string, url: string, credentials: string | undefined) => {
    if (!URL.canParse(url))
      problems.push({ path, what: "is not a URL with a host and, if any, a valid port" });
    else if (credentials !== undefined && hasCredentials(url)) problems.push({ path, what: credentials });
  };
  const given = "carries credentials beside redis.password; give them once";
  check("redis.url", redis.url, redis.password === undefined ? undefined : given);
  const apart = (place: string) =>
    `carries credentials; give them as ${place}.username and ${place}.password`;
  for (const [place, url] of (redis.cluster ?? []).entries())
    check(`redis.cluster.${place}`, url, apart("redis"));
  for (const [place, url] of (redis.sentinel?.urls ?? []).entries())
    check(`redis.sentinel.urls.${place}`, url, apart("redis.sentinel"));
  if (schemaRegistry !== undefined) check("schemaRegistry.url", schemaRegistry.url, apart("schemaRegistry"));
  for (const [place, url] of alertmanager.urls.entries())
    check(`alertmanager.urls.${place}`, url, apart("alertmanager"));
  if (api.publicUrl !== undefined)
    check("api.publicUrl", api.publicUrl, "carries credentials; everyone who is alerted would read them");
  return problems;
}

function problemsOfRedis({ redis: { cluster, sentinel } }: Config): Problem[] {
  return cluster === undefined || sentinel === undefined
    ? []
    : [{ path: "redis.sentinel", what: "stands beside redis.cluster; set one of them" }];
}

function problemsOfAlertmanager({ alertmanager: { urls, tls } }: Config): Problem[] {
  return tls === undefined || urls.length === 0 || urls.some((url) => url.startsWith("https:"))
    ? []
    : [{ path: "alertmanager.tls", what: "is for URLs that begin with https://, and there is none" }];
}

function problemsOfRegistry({ schemaRegistry, pipelines }: Config): Problem[] {
  if (schemaRegistry !== undefined) return [];
  return Object.entries(pipelines)
    .filter(([, pipeline]) => rawTopicsOf(pipeline).some(({ format }) => format === "avro"))
    .map(([name]) => ({ path: `pipelines.${name}.format`, what: "avro needs schemaRegistry.url" }));
}

/** Who asks with a token, or by a name, that two have could be either. */
function problemsOfTokens({ api: { token, tokens } }: Config): Problem[] {
  const holders = new Map<string, string>(token === undefined ? [] : [[token, "api.token"]]);
  return Object.entries(tokens).flatMap(([name, { token }]) => {
    const holder = holders.get(token);
    holders.set(token, name);
    return [
      ...(name === mainToken
        ? [
            {
              path: `api.tokens.${name}`,
              what: "is how the bearer of api.token goes by; choose another name",
            },
          ]
        : []),
      ...(holder === undefined
        ? []
        : [{ path: `api.tokens.${name}.token`, what: `is the token of ${holder}` }]),
    ];
  });
}

function problemsOfPipeline(name: string, pipeline: unknown): Problem[] {
  const path = ["pipelines", name];
  const problems: Problem[] = [];
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name))
    problems.push({ path: path.join("."), what: "must be named with a-z, 0-9 and - only" });
  if (name === detectPipeline)
    problems.push({
      path: path.join("."),
      what: "is how what the API is asked to judge goes by; choose another name",
    });
  Value.Default(pipelineSchema, pipeline);
  problems.push(...problemsOf(pipelineSchema, pipeline, path));
  const { window, key, layout, mask, alert, topics, ...reading } = (pipeline ?? {}) as PipelineConfig;
  const schema = windowSchemas[window?.kind as keyof typeof windowSchemas];
  if (schema !== undefined) {
    Value.Default(schema, window);
    problems.push(...problemsOf(schema, window, [...path, "window"]));
  }
  if (problems.length > 0) return problems;
  const checkFields = (
    { fields, format }: Partial<Pick<PipelineConfig, "fields" | "format">>,
    at: string[],
  ) => {
    if (fields !== undefined && format !== undefined && !formatsWithFields.includes(format))
      problems.push({
        path: [...path, ...at, "fields"].join("."),
        what: `belongs to the formats ${formatsWithFields.join(", ")}: ${format} says itself where its fields are`,
      });
  };
  checkFields(reading, []);
  for (const [place, topic] of topics.entries())
    if (typeof topic === "object")
      checkFields({ format: reading.format, ...topic }, ["topics", String(place)]);
  const names = rawTopicsOf(pipeline as PipelineConfig).map(({ name }) => name);
  if (new Set(names).size < names.length)
    problems.push({ path: [...path, "topics"].join("."), what: "names a topic twice" });
  if (window?.kind === "session" && milliseconds(window.gap) === 0)
    problems.push({ path: [...path, "window", "gap"].join("."), what: "must be longer than 0" });
  if (window?.kind === "time") {
    const { span, slide = span } = window;
    const what = problemOfTime({ spanMs: durationOf(span), slideMs: durationOf(slide) });
    if (what !== undefined)
      problems.push({
        path: [...path, "window", window.slide === undefined ? "span" : "slide"].join("."),
        what,
      });
  }
  if (window?.kind === "sliding" && window.stride > window.size)
    problems.push({
      path: [...path, "window", "stride"].join("."),
      what: "must not exceed size: lines would be left out",
    });
  problems.push(...problemsOfAlert(alert, [...path, "alert"]));
  const tryTo = (where: string, check: () => unknown) => {
    try {
      check();
    } catch (thrown) {
      problems.push({ path: [...path, where].join("."), what: reasonOf(thrown) });
    }
  };
  if (key !== undefined) tryTo("key.pattern", () => createKeys(keySpecOf(key)));
  const end = window?.kind === "session" ? window.end : undefined;
  if (end !== undefined) tryTo("window.end", () => compileEnd(end));
  if (typeof layout === "object") tryTo("layout.pattern", () => createLayout(layout));
  if (mask !== undefined) tryTo("mask.custom", () => createMasker({ profile: "typed", custom: mask.custom }));
  return problems;
}

/** An alert that ends before Alertmanager's group_wait is never told, and few wait longer than this. */
const shortestHold = "5m";

function problemsOfAlert({ hold, labels, originLabel }: PipelineConfig["alert"], path: string[]): Problem[] {
  const problems: Problem[] = [];
  const add = (what: string, ...at: string[]) => problems.push({ path: [...path, ...at].join("."), what });
  if (durationOf(hold) < durationOf(shortestHold))
    add(`must be at least ${shortestHold}: Alertmanager may never tell of an alert that ends sooner`, "hold");
  const ours = "is set by LogGuardian, and tells its alerts apart; choose another name";
  for (const name of ownLabels) if (Object.hasOwn(labels, name)) add(ours, "labels", name);
  if (originLabel === undefined) return problems;
  if ([...ownLabels, "severity"].includes(originLabel)) add(ours, "originLabel");
  else if (Object.hasOwn(labels, originLabel))
    add("stands in alert.labels too; set one of them", "originLabel");
  return problems;
}

function refuse(file: string, problems: readonly Problem[]): LogGuardianError {
  const listed = problems.map(({ path, what }) => `\n  ${path}: ${what}`).join("");
  return new LogGuardianError(
    "LG_CONFIG",
    `${file} has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:${listed}\n`,
    "Correct the file or the LOGGUARDIAN_… variables; logguardian config --print shows what is in effect.",
  );
}

function firstLine(message: string): string {
  return message.split("\n")[0]?.replace(/:$/, "") ?? message;
}

/** The effective configuration as YAML, its secrets hidden. */
export function printConfig(config: Config): string {
  const hidden = (name: string, value: unknown) =>
    ["password", "bearerToken", "token"].includes(name)
      ? "<hidden>"
      : typeof value === "string" && value.includes("://")
        ? withoutSecrets(value)
        : value;
  return stringify(JSON.parse(JSON.stringify(config, hidden)));
}

/** A raw topic, and how its records are read. */
export interface RawTopicSpec {
  name: string;
  format: FormatName;
  fields: Partial<Fields>;
}

/** A pipeline's raw topics: each read as it says itself, else as the pipeline says. */
export function rawTopicsOf({ topics, format, fields }: PipelineConfig): RawTopicSpec[] {
  return topics.map((topic) => {
    const { name, ...own } = typeof topic === "string" ? { name: topic } : topic;
    // Fields belong to a format.
    const inherited = own.format === undefined ? fields : undefined;
    return { name, format: own.format ?? format, fields: fieldsOf({ fields: own.fields ?? inherited }) };
  });
}

/** The fields that a pipeline or topic names, as a record format takes them. */
export function fieldsOf({
  fields = {},
}: {
  fields?: PipelineConfig["fields"] | undefined;
}): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).map(([field, path]) => [field, [path]]));
}

export function keySpecOf(key: PipelineConfig["key"]): KeySpec {
  if (typeof key === "string") return { kind: key };
  return "fields" in key ? { kind: "origin", fields: key.fields } : { kind: "pattern", pattern: key.pattern };
}

/** What the windower is told. */
export function windowSpecOf(window: WindowConfig): WindowSpec {
  switch (window.kind) {
    case "sliding":
      return {
        kind: "sliding",
        size: window.size,
        stride: window.stride,
        ...(window.idle === undefined ? {} : { idleMs: durationOf(window.idle) }),
      };
    case "session":
      return {
        kind: "session",
        gapMs: durationOf(window.gap),
        maxLines: window.maxLines,
        ...(window.end === undefined ? {} : { end: window.end }),
      };
    case "time":
      return {
        kind: "time",
        spanMs: durationOf(window.span),
        slideMs: durationOf(window.slide ?? window.span),
        latenessMs: durationOf(window.lateness),
        maxLines: window.maxLines,
      };
  }
}

/** @param text a duration that the schema has checked. */
export function durationOf(text: string): number {
  return milliseconds(text) ?? 0;
}

/** @param text a size that the schema has checked. */
export function sizeOf(text: string): number {
  return bytes(text) ?? 0;
}
