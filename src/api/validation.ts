import type { FastifySchemaCompiler } from "fastify";
import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { problemsOf } from "../config/problem.ts";
import { type FieldProblem, refusal } from "./problem.ts";

const places = { body: "body", querystring: "query", params: "path", headers: "headers" } as const;

const numeric = /^-?\d{1,15}(\.\d{1,15})?$/;
/** How many a caller is told at once. */
const mostProblems = 20;

/**
 * Requests are checked by the schemas that the document shows, and refused with every field that does not fit. Only what
 * comes as text (query, path, headers) is converted to the types it stands for.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  const where = places[httpPart as keyof typeof places] ?? "body";
  return (given: unknown) => {
    const value = validator.Default(where === "body" ? given : withNumbers(given, schema));
    if (validator.Check(value)) return { value };
    const errors = problemsOf(schema, value)
      .slice(0, mostProblems)
      .map(({ path, what }): FieldProblem => {
        const field = path === "the configuration" ? "the whole" : path;
        return { field, in: where, detail: what };
      });
    const told = errors.map(({ field, detail }) => `${field} ${detail}`).join("; ");
    return {
      error: refusal("LG_API_INVALID", `The ${where} is not as it should be: ${told}.`, "Correct it.", {
        errors,
      }),
    };
  };
};

/** Texts that stand for numbers where the schema asks for one. (TypeBox's own conversion takes `true` for one, too.) */
function withNumbers(given: unknown, schema: TSchema): unknown {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> };
  const converted = Object.entries(given as Record<string, unknown>).map(([name, value]) => {
    const isNumber = ["integer", "number"].includes(properties[name]?.type ?? "");
    return [name, isNumber && typeof value === "string" && numeric.test(value) ? Number(value) : value];
  });
  return Object.fromEntries(converted);
}

/** What Fastify tells handlers of values that these schemas describe. */
export interface TypeBoxTypes {
  readonly schema: unknown;
  readonly validator: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
  readonly serializer: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
}
