import {
  byName,
  duration,
  list,
  object,
  oneOf,
  optional,
  section,
  share,
  size,
  text,
  whole,
  yesOrNo,
} from "./settings.ts";

/** What the bearer of a token may do; admin: everything, and see the jobs of others. */
export const scopes = ["read", "detect", "feedback", "admin"] as const;
export type Scope = (typeof scopes)[number];

/** By which name the bearer of `api.token` goes. */
export const mainToken = "token";

/** Shorter ones can be guessed. */
const secretToken = (description: string) => text(description, { minLength: 16 });

/** One of `api.tokens`. */
export const tokenSchema = object({
  token: secretToken("of 16 characters at least; better from a file"),
  scopes: list("what its bearer may do; `admin` is everything", oneOf("a scope", scopes), {
    minItems: 1,
    uniqueItems: true,
  }),
  pipelines: optional(
    list("whose anomalies its bearer reads and judges; not set, all", text("a pipeline"), {
      minItems: 1,
      uniqueItems: true,
    }),
  ),
});

export const apiSchema = section("of the role api ([the REST API](api.md), [security](security.md))", {
  publicUrl: optional(
    text("where people open the triage page: alerts link to it", { pattern: "^https?://" }),
  ),
  host: text("to listen on; another than this machine only with a token", { default: "127.0.0.1" }),
  port: whole("0 chooses", { minimum: 0, maximum: 65535, default: 8000 }),
  tls: optional(
    object(
      { certificate: text("path of a PEM file"), key: text("path of a PEM file") },
      { description: "to answer by HTTPS" },
    ),
  ),
  enableAuth: optional(
    yesOrNo(
      "whether a token is asked for; not set, where there is one; false, everybody of this machine may do everything",
    ),
  ),
  token: optional(
    secretToken("whose bearer may do everything; of 16 characters at least, better from a file"),
  ),
  tokens: byName(
    "more tokens; the name is recorded with the feedback of whoever uses it",
    "^[a-z0-9][a-z0-9-]*$",
    tokenSchema,
  ),
  corsOrigins: list(
    "origins of web pages that may call the API",
    text("such as `https://ui.example.com`", { pattern: "^https?://[^/]+$" }),
    {
      default: [],
    },
  ),
  bundle: optional(text("directory of the bundle of `POST /detect`; not set, the starter bundle")),
  threshold: optional(share("on the score, of `POST /detect`; not set, the bundle's")),
  index: section("of anomalies: in Redis, which can be filled again from the topics", {
    retention: duration("since a verdict was published", "7d"),
    maxBytes: size("beyond, the oldest are forgotten", "256MB"),
  }),
  jobs: section("of `POST /batch-detect`", {
    retention: duration("since one has ended", "1d"),
    maxBytes: size("of what they were sent and have found", "256MB"),
  }),
  limits: section("beyond which a request is refused", {
    body: size("of a request", "16MB"),
    lines: whole("of a request", { minimum: 1, default: 10_000 }),
    batchBody: size("of a job", "64MB"),
    batchLines: whole("of a job", { minimum: 1, default: 200_000 }),
    requestsPerMinute: whole("of a token, or an address", { minimum: 1, default: 600 }),
    detections: whole("that are being answered", { minimum: 1, default: 16 }),
    streams: whole("of server-sent events", { minimum: 1, default: 64 }),
  }),
});
