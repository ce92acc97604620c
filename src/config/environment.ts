import { readFileSync } from "node:fs";
import type { TSchema } from "typebox";
import { reasonOf } from "../errors.ts";
import { tokenSchema } from "./api-schema.ts";
import { nearestTo } from "./nearest.ts";
import { pipelineSchema, windowSchemas } from "./pipeline-schema.ts";
import type { Problem } from "./problem.ts";
import { configSchema } from "./schema.ts";

/** The variable that names the configuration itself. */
const configVariable = "LOGGUARDIAN_CONFIG";
/** Variables that are no settings. */
const ours = [configVariable, "LOGGUARDIAN_DATA", "LOGGUARDIAN_UV"];

type Tree = Record<string, unknown>;
type Environment = Record<string, string | undefined>;

/**
 * Puts `LOGGUARDIAN_<PATH>` into the configuration, and what the file named by `LOGGUARDIAN_<PATH>_FILE` holds: for
 * `kafka.sasl.password` LOGGUARDIAN_KAFKA_SASL_PASSWORD. Lists are separated by commas. A pipeline must stand in the
 * file, and so must one of `api.tokens`. Variables that name nothing are left alone, since orchestrators make up some of their own, unless they are nearly
 * the name of a setting or of LOGGUARDIAN_CONFIG.
 */
export function applyEnvironment(content: Tree, environment: Environment): Problem[] {
  const given: Given = { environment, settings: new Set(), problems: [] };
  walk(configSchema, content, [], given);
  for (const [name, pipeline] of Object.entries((content.pipelines as Tree | undefined) ?? {})) {
    if (!isTree(pipeline)) continue;
    walk(pipelineSchema, pipeline, ["pipelines", name], given);
    const window = pipeline.window as Tree | undefined;
    const schema = windowSchemas[window?.kind as keyof typeof windowSchemas];
    if (window !== undefined && schema !== undefined)
      walk(schema, window, ["pipelines", name, "window"], given);
  }
  const { tokens } = (content.api ?? {}) as { tokens?: Tree };
  for (const [name, token] of Object.entries(tokens ?? {}))
    if (isTree(token)) walk(tokenSchema, token, ["api", "tokens", name], given);
  return [...given.problems, ...misspelt(given)];
}

interface Given {
  environment: Environment;
  /** Names of the variables that were asked for: of all settings in the end. */
  settings: Set<string>;
  problems: Problem[];
}

function misspelt({ environment, settings }: Given): Problem[] {
  const others = Object.keys(environment).filter(
    (name) => name.startsWith("LOGGUARDIAN_") && !settings.has(name) && !ours.includes(name),
  );
  // Those of ours that are shorter would be near to what is none of them.
  const known = new Map([...settings, configVariable].map((name) => [lettersOf(name), name]));
  return others.flatMap((path) => {
    const nearest = nearestTo(lettersOf(path), [...known.keys()]);
    return nearest === undefined ? [] : [{ path, what: `is not known; ${known.get(nearest)} is` }];
  });
}

/** Where words are parted is no letter: `KAFKA__BROKERS` and `KAFKABROKERS` are the same mistake. */
function lettersOf(name: string): string {
  return name.replaceAll("_", "");
}

function walk(schema: TSchema, into: Tree, path: string[], given: Given): void {
  const properties = (schema as { properties?: Record<string, TSchema> }).properties ?? {};
  for (const [name, inner] of Object.entries(properties)) {
    const here = [...path, name];
    if ("properties" in inner) {
      const below = isTree(into[name]) ? into[name] : {};
      walk(inner, below, here, given);
      if (Object.keys(below).length > 0) into[name] = below;
      continue;
    }
    const variable = variableOf(here);
    const value = read(variable, given);
    if (value !== undefined) into[name] = typed(inner, value);
  }
}

function read(variable: string, { environment, settings, problems }: Given): string | undefined {
  const value = environment[variable];
  const file = environment[`${variable}_FILE`];
  settings.add(variable).add(`${variable}_FILE`);
  if (file === undefined) return value;
  const refuse = (what: string) => void problems.push({ path: `${variable}_FILE`, what });
  if (value !== undefined) return refuse(`stands beside ${variable}; set one of them`) as undefined;
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (thrown) {
    return refuse(`cannot be read: ${reasonOf(thrown)}`) as undefined;
  }
}

/** `["kafka", "clientId"]` to `LOGGUARDIAN_KAFKA_CLIENT_ID`. */
export function variableOf(path: readonly string[]): string {
  const words = path.map((name) => name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[^A-Za-z0-9]/g, "_"));
  return ["LOGGUARDIAN", ...words].join("_").toUpperCase();
}

/** The text as the type that the schema asks for; what does not fit stays text, and the check says so. */
function typed(schema: TSchema, value: string): unknown {
  const { type, anyOf } = schema as { type?: string; anyOf?: TSchema[] };
  if (type === "array") return value.split(",").map((part) => part.trim());
  if (type === "boolean") return value === "true" ? true : value === "false" ? false : value;
  const mayBeNumber = [type, ...(anyOf ?? []).map((one) => (one as { type?: string }).type)].some(
    (name) => name === "integer" || name === "number",
  );
  return mayBeNumber && value.trim() !== "" && !Number.isNaN(Number(value)) ? Number(value) : value;
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
