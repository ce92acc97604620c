import { type TSchema, Type } from "typebox";
import { verdictNames } from "../classify/judgement.ts";

/** Of what is sent to us: what is unknown is refused, as it would be ignored. */
export const given = <Properties extends Record<string, TSchema>>(properties: Properties, options = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });
export const optional = Type.Optional;
/** Of what is sent: it need not be there, and is there when it is looked at. */
export const byDefault = <Schema extends TSchema>(schema: Schema & { default?: unknown }) =>
  Type.Optional(schema) as unknown as Schema;
export const orNull = <Schema extends TSchema>(schema: Schema, options = {}) =>
  Type.Union([schema, Type.Null()], options);
export const oneOf = <const Names extends readonly string[]>(names: Names, options = {}) =>
  Type.Unsafe<Names[number]>(Type.Enum([...names], { type: "string", ...options }));
/** Of verdicts and jobs alike. */
export const idPattern = "^[0-9a-f]{32}$";
export const time = (options = {}) => Type.String({ format: "date-time", ...options });
/** A part of answers that has a name in the document. */
export const ref = (schema: TSchema & { $id: string }) => Type.Unsafe<unknown>({ $ref: `${schema.$id}#` });
/** One that `ref` may name. */
export const named = <Schema extends TSchema>(name: string, schema: Schema): Schema & { $id: string } =>
  Object.assign(schema, { $id: name });

export const verdict = oneOf(verdictNames, {
  description: "undecided: the model could not be asked; reason says why",
});

export const problemSchema = named(
  "Problem",
  Type.Object(
    {
      type: Type.String({ description: "urn:logguardian:error: and the code" }),
      title: Type.String(),
      status: Type.Integer(),
      detail: Type.String({ description: "what happened, and what to do" }),
      code: Type.String({ description: "stable, for programs" }),
      errors: optional(
        Type.Array(
          Type.Object({
            field: Type.String({ examples: ["logs.0.message"] }),
            in: oneOf(["body", "query", "path", "headers"]),
            detail: Type.String(),
          }),
        ),
      ),
    },
    { description: "RFC 9457" },
  ),
);

const reasons = {
  400: "The request is not as its schema says.",
  401: "There is no bearer token, or an unknown one.",
  403: "The token may not do this; or there are no tokens, and the caller comes from elsewhere.",
  404: "There is none of this id, or none that the token may see.",
  413: "The body is too large.",
  415: "The body is not application/json.",
  422: "Values do not fit together.",
  429: "Too many requests, or no room for one more; Retry-After says in how many seconds there may be.",
  503: "Kafka or Redis is away, or LogGuardian stops; Retry-After says when to try again.",
} as const;

const problemContent = { "application/problem+json": { schema: ref(problemSchema) } };
const retryAfter = { "retry-after": { type: "string", description: "seconds" } };

/** What a route answers beside its good answers: what any route may, and these. */
export function problems(...more: (keyof typeof reasons)[]) {
  const statuses = [400, 401, 403, 429, ...more] as (keyof typeof reasons)[];
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: reasons[status],
        content: problemContent,
        ...(status === 429 || status === 503 ? { headers: retryAfter } : {}),
      },
    ]),
  );
}
