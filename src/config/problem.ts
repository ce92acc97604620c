import type { TSchema } from "typebox";
import { Settings } from "typebox/system";
import { Value } from "typebox/value";

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
        problems.push({ path: at(name), what: "is unknown" });
    else if (keyword === "enum")
      problems.push({ path: at(), what: `must be one of ${(params.allowedValues ?? []).join(", ")}` });
    else problems.push({ path: at(), what: message });
  }
  return problems;
}

interface Params {
  requiredProperties?: string[];
  additionalProperties?: string[];
  allowedValues?: string[];
}

function plain(part: string): string {
  return part.replace(/~1/g, "/").replace(/~0/g, "~");
}

function expectedAt(schema: TSchema, instancePath: string): string | undefined {
  let at: unknown = schema;
  for (const part of instancePath.split("/").slice(1)) {
    const { properties, items } = (at ?? {}) as { properties?: Record<string, unknown>; items?: unknown };
    at = properties?.[part] ?? items;
  }
  return (at as { expected?: string } | undefined)?.expected;
}
