import type { TSchema } from "typebox";
import { Settings } from "typebox/system";
import { Value } from "typebox/value";
import { nearestTo } from "./nearest.ts";
import { durationPattern, sizePattern } from "./units.ts";

/** Something wrong with the configuration. */
export interface Problem {
  /** Where: `pipelines.hdfs.window.stride`, or the name of an environment variable. */
  path: string;
  what: string;
}

/** TypeBox stops at 8, and counts the noise of unions with them. */
const maxErrors = 1000;

/** Everything in which a value does not fit its schema. */
export function problemsOf(schema: TSchema, value: unknown, path: readonly string[] = []): Problem[] {
  Settings.Set({ maxErrors });
  const errors = Value.Errors(schema, value);
  // Where no choice of a union fits, what each choice lacks is noise; what it expects says what it takes.
  const unions = errors.filter(({ keyword }) => keyword === "anyOf").map(({ instancePath }) => instancePath);
  const problems: Problem[] = [];
  for (const error of errors) {
    const { keyword, instancePath, message, params } = error as typeof error & { params: Params };
    const at = (...more: string[]) =>
      [...path, ...instancePath.split("/").slice(1).map(plain), ...more].join(".") || "the configuration";
    const isInsideUnion = unions.some((union) => instancePath.startsWith(union));
    if (keyword === "anyOf") problems.push({ path: at(), what: expectedAt(schema, instancePath) ?? message });
    else if (isInsideUnion || keyword === "boolean") continue;
    else if (keyword === "required")
      for (const name of params.requiredProperties ?? [])
        problems.push({ path: at(name), what: "is missing" });
    else if (keyword === "additionalProperties")
      for (const name of params.additionalProperties ?? [])
        problems.push({
          path: at(name),
          what: `is unknown${guessOf(name, settingsAt(schema, instancePath))}`,
        });
    else if (keyword === "enum")
      problems.push({ path: at(), what: `must be one of ${(params.allowedValues ?? []).join(", ")}` });
    else problems.push({ path: at(), what: plainly(params.pattern, message) });
  }
  return problems;
}

interface Params {
  requiredProperties?: string[];
  additionalProperties?: string[];
  allowedValues?: string[];
  pattern?: string | RegExp;
}

/** A person asks what it should look like, not which pattern it lacks. */
function plainly(pattern: Params["pattern"], message: string): string {
  const source = pattern instanceof RegExp ? pattern.source : pattern;
  if (source === durationPattern) return "must be a duration such as 30s, 10m or 24h";
  if (source === sizePattern) return "must be a size such as 64MB or 1GB";
  return message;
}

/** The setting that was probably meant. */
function guessOf(name: string, known: readonly string[]): string {
  const nearest = nearestTo(name, known);
  return nearest === undefined ? "" : `; perhaps ${nearest}`;
}

function settingsAt(schema: TSchema, instancePath: string): string[] {
  return Object.keys(
    (schemaAt(schema, instancePath) as { properties?: object } | undefined)?.properties ?? {},
  );
}

function plain(part: string): string {
  return part.replace(/~1/g, "/").replace(/~0/g, "~");
}

function expectedAt(schema: TSchema, instancePath: string): string | undefined {
  return (schemaAt(schema, instancePath) as { expected?: string } | undefined)?.expected;
}

function schemaAt(schema: TSchema, instancePath: string): unknown {
  let at: unknown = schema;
  for (const part of instancePath.split("/").slice(1)) {
    const { properties, items } = (at ?? {}) as { properties?: Record<string, unknown>; items?: unknown };
    at = properties?.[part] ?? items;
  }
  return at;
}
