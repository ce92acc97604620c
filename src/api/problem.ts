import { STATUS_CODES } from "node:http";
import type { FastifyError, FastifyReply } from "fastify";
import { LogGuardianError } from "../errors.ts";

/** RFC 9457. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** Stable, for programs. */
  code: string;
  /** What is wrong with which field. */
  errors?: FieldProblem[];
}

export interface FieldProblem {
  /** `logs.0.message` */
  field: string;
  in: "body" | "query" | "path" | "headers";
  detail: string;
}

/** The answer to errors that a caller can do something about; any other is our fault, or of what we wait for. */
const statusOf: Readonly<Record<string, number>> = {
  LG_API_INVALID: 400,
  LG_API_TOKEN: 401,
  LG_API_SCOPE: 403,
  LG_API_HOST: 403,
  LG_API_UNKNOWN: 404,
  LG_API_METHOD: 405,
  LG_API_TIMEOUT: 408,
  LG_API_BODY_SIZE: 413,
  LG_API_MEDIA_TYPE: 415,
  LG_API_VALUES: 422,
  LG_WINDOW_SPEC: 422,
  LG_API_RATE: 429,
  LG_API_BUSY: 429,
  LG_API_HEADERS: 431,
  LG_SCORER_CRASHED: 500,
  LG_JOB_SIZE: 507,
  LG_API_AWAY: 503,
};

/** What Fastify itself refuses, in our words. */
const ofFastify: Readonly<Record<string, [code: `LG_${string}`, remedy: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ["LG_API_BODY_SIZE", "Send less at once."],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["LG_API_MEDIA_TYPE", "Send application/json."],
  FST_ERR_CTP_EMPTY_JSON_BODY: ["LG_API_INVALID", "Send a JSON object."],
  FST_ERR_CTP_INVALID_JSON_BODY: ["LG_API_INVALID", "Send a JSON object."],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    "LG_API_INVALID",
    "Send as many bytes as the header content-length says.",
  ],
  FST_ERR_BAD_URL: ["LG_API_INVALID", "Encode the path as a URL asks for."],
};

/** What an answer says beside the error itself. */
interface Details {
  errors?: FieldProblem[];
  retryAfterSeconds?: number;
  headers?: Record<string, string>;
}

const detailsOf = new WeakMap<LogGuardianError, Details>();

/** An error that is an answer. */
export function refusal(
  code: `LG_${string}`,
  what: string,
  remedy: string,
  details: Details = {},
): LogGuardianError {
  const error = new LogGuardianError(code, what, remedy);
  detailsOf.set(error, details);
  return error;
}

/** A value of a request that cannot be: 422 where it fits its schema, and not what stands beside it. */
export function refusedField(field: string, detail: string, where: FieldProblem["in"]): LogGuardianError {
  return refusal("LG_API_VALUES", `${field} ${detail}.`, "Correct it.", {
    errors: [{ field, in: where, detail }],
  });
}

/** Whether a caller can do something about it. */
export function isRefusal(thrown: unknown): boolean {
  return thrown instanceof Error && statusOf[asOurs(thrown).code] !== undefined;
}

/** Nothing of an error that is not meant for the caller. */
export function problemOf(thrown: unknown): { problem: ProblemDocument; headers: Record<string, string> } {
  const error = asOurs(thrown);
  const status = statusOf[error.code] ?? 500;
  const { errors, retryAfterSeconds, headers = {} } = detailsOf.get(error) ?? {};
  return {
    problem: {
      type: `urn:logguardian:error:${error.code}`,
      title: STATUS_CODES[status] ?? "Error",
      status,
      detail: `${error.message} ${error.remedy}`,
      code: error.code,
      ...(errors === undefined ? {} : { errors }),
    },
    headers: {
      ...headers,
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterSeconds)) }),
    },
  };
}

export function sendProblem(reply: FastifyReply, thrown: unknown): FastifyReply {
  const { problem, headers } = problemOf(thrown);
  return reply
    .code(problem.status)
    .headers(headers)
    .type("application/problem+json; charset=utf-8")
    .send(problem);
}

function asOurs(thrown: unknown): LogGuardianError {
  if (thrown instanceof LogGuardianError) {
    if (statusOf[thrown.code] !== undefined) return thrown;
  } else if (thrown instanceof Error) {
    const { code, message, statusCode = 500 } = thrown as FastifyError;
    const [ours, remedy = ""] = ofFastify[code] ?? [];
    if (ours !== undefined) return new LogGuardianError(ours, `${message.replace(/\.$/, "")}.`, remedy);
    if (statusCode === 404)
      return new LogGuardianError("LG_API_UNKNOWN", "There is no such thing.", "Correct it.");
    if (statusCode >= 400 && statusCode < 500)
      return new LogGuardianError("LG_API_INVALID", "The request is not as it should be.", "Correct it.");
  }
  return new LogGuardianError(
    "LG_API_FAILED",
    "The request could not be answered.",
    "The log of LogGuardian says why, beside the request's id (x-request-id).",
  );
}
