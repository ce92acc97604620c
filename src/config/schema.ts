import { type Static, type TSchema, Type } from "typebox";
import { formatNames } from "../ingest/formats/index.ts";
import { originFields } from "../ingest/keys.ts";
import { layoutNames } from "../ingest/layouts.ts";
import { durationPattern, sizePattern } from "./units.ts";

const object = <Properties extends Record<string, TSchema>>(properties: Properties, options = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });
const optional = Type.Optional;
const text = (options = {}) => Type.String({ minLength: 1, ...options });
const duration = (byDefault: string) => Type.String({ pattern: durationPattern, default: byDefault });
const size = (byDefault: string) => Type.String({ pattern: sizePattern, default: byDefault });
const oneOf = <const Names extends readonly string[]>(names: Names, options = {}) =>
  Type.Unsafe<Names[number]>(Type.Enum([...names], options));
const count = (minimum: number, byDefault: number) => Type.Integer({ minimum, default: byDefault });
/** A window must fit one message of Kafka, however little of each line that leaves. */
const mostLines = 2000;

const redisUrl = "^rediss?://";
const labelPattern = "^[a-zA-Z_][a-zA-Z0-9_]*$";

/** What the bearer of a token may do; admin: everything, and see the jobs of others. */
export const scopes = ["read", "detect", "feedback", "admin"] as const;
export type Scope = (typeof scopes)[number];
/** Shorter ones can be guessed. */
const secretToken = () => Type.String({ minLength: 16 });

/** One of `api.tokens`. */
export const tokenSchema = object({
  token: secretToken(),
  scopes: Type.Array(oneOf(scopes), { minItems: 1, uniqueItems: true }),
  /** Whose anomalies it reads and judges; all where not set. */
  pipelines: optional(Type.Array(text(), { minItems: 1, uniqueItems: true })),
});

const api = object(
  {
    publicUrl: optional(text({ pattern: "^https?://", description: "where people open the triage page" })),
    host: text({ default: "127.0.0.1" }),
    port: Type.Integer({ minimum: 0, maximum: 65535, default: 8000 }),
    tls: optional(object({ certificate: text(), key: text() })),
    /** Not set: where there is a token. */
    enableAuth: optional(Type.Boolean()),
    /** May do everything. */
    token: optional(secretToken()),
    /** By name, which stands beside what its bearer says. */
    tokens: Type.Record(Type.String({ pattern: "^[a-z0-9][a-z0-9-]*$" }), tokenSchema, { default: {} }),
    corsOrigins: Type.Array(text({ pattern: "^https?://[^/]+$" }), { default: [] }),
    bundle: optional(text({ description: "directory, of POST /detect; the starter bundle by default" })),
    threshold: optional(Type.Number({ minimum: 0, maximum: 1 })),
    index: object({ retention: duration("7d"), maxBytes: size("256MB") }, { default: {} }),
    jobs: object({ retention: duration("1d"), maxBytes: size("256MB") }, { default: {} }),
    limits: object(
      {
        body: size("16MB"),
        lines: count(1, 10_000),
        batchBody: size("64MB"),
        batchLines: count(1, 200_000),
        requestsPerMinute: count(1, 600),
        detections: count(1, 16),
        streams: count(1, 64),
      },
      { default: {} },
    ),
  },
  { default: {} },
);

/** Paths of PEM files. */
const tls = object({
  ca: optional(text({ description: "certificate authority, when not one the system knows" })),
  certificate: optional(text()),
  key: optional(text()),
});

/** By the window's `kind`. */
export const windowSchemas = {
  sliding: object({
    kind: Type.Literal("sliding"),
    size: Type.Integer({ minimum: 1, maximum: mostLines, description: "lines" }),
    stride: Type.Integer({ minimum: 1, description: "lines" }),
    idle: optional(Type.String({ pattern: durationPattern, description: "a key silent for longer ends" })),
  }),
  session: object({
    kind: Type.Literal("session"),
    gap: duration("30m"),
    maxLines: Type.Integer({ minimum: 1, maximum: mostLines, default: 1000 }),
    end: optional(text({ description: "a pattern: a line with it is its session's last" })),
  }),
  time: object({
    kind: Type.Literal("time"),
    span: Type.String({ pattern: durationPattern }),
    slide: optional(Type.String({ pattern: durationPattern, description: "the span, where not set" })),
    lateness: duration("0s"),
    maxLines: Type.Integer({ minimum: 1, maximum: mostLines, default: 1000 }),
  }),
};

/** Paths such as `event.text`, instead of the usual places. */
const fields = object({
  line: optional(text()),
  time: optional(text()),
  host: optional(text()),
  file: optional(text()),
  pod: optional(text()),
  container: optional(text()),
});

export const pipelineSchema = object({
  /** Raw topics; one whose records are not as the pipeline says, says so itself. */
  topics: Type.Array(
    Type.Union(
      [text(), object({ name: text(), format: optional(oneOf(formatNames)), fields: optional(fields) })],
      { description: "must be a topic's name, or such as { name: app, format: filebeat }" },
    ),
    { minItems: 1 },
  ),
  from: oneOf(["earliest", "latest"], {
    default: "latest",
    description: "where a pipeline that never ran begins",
  }),
  format: oneOf(formatNames),
  fields: optional(fields),
  layout: Type.Union([oneOf(layoutNames), object({ pattern: text() })], {
    default: "none",
    description: `must be ${layoutNames.join(", ")}, or a pattern such as { pattern: '^(?P<time>\\S+) (?P<content>.*)$' }`,
  }),
  mask: optional(
    object({
      custom: Type.Array(object({ name: text(), regex: text(), token: Type.String() }), { default: [] }),
    }),
  ),
  key: Type.Union(
    [
      oneOf(["origin", "kafka"]),
      object({ pattern: text() }),
      object({ fields: Type.Array(oneOf(originFields), { minItems: 1, uniqueItems: true }) }),
    ],
    {
      default: "origin",
      description: `must be origin, kafka, fields of ${originFields.join(", ")} such as { fields: [host] }, or a pattern such as { pattern: 'blk_-?\\d+' }`,
    },
  ),
  /** Checked by `windowSchemas`: which of them depends on its `kind`. */
  window: object({ kind: oneOf(["sliding", "session", "time"]) }, { additionalProperties: true }),
  partitions: count(1, 16),
  bundle: optional(text({ description: "directory; the starter bundle by default" })),
  threshold: optional(Type.Number({ minimum: 0, maximum: 1 })),
  /** The bundle that is to take over: it judges the same windows beside the other, and nothing of it alerts. */
  next: optional(
    object({
      bundle: text({ description: "directory" }),
      threshold: optional(Type.Number({ minimum: 0, maximum: 1 })),
      share: Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 1, description: "of the windows" }),
    }),
  ),
  publish: oneOf(["anomalous", "all"], { default: "anomalous" }),
  idleAfter: duration("30s"),
  /** Windows are judged before they close, at each multiple of so many lines. */
  early: optional(object({ everyLines: Type.Integer({ minimum: 1 }) })),
  /**
   * Of open windows; a lines-partition has an equal share. Beyond, the one silent for longest closes. Of what is read, a
   * raw partition has an equal share; beyond, its reading pauses.
   */
  limits: object(
    {
      maxOpenWindows: Type.Integer({ minimum: 1, default: 100_000 }),
      maxOpenBytes: size("1GB"),
      linesPerSecond: optional(Type.Integer({ minimum: 1 })),
    },
    { default: {} },
  ),
  alert: object(
    {
      enabled: Type.Boolean({ default: true }),
      hold: duration("5m"),
      labels: Type.Record(Type.String({ pattern: labelPattern }), text(), { default: {} }),
      originLabel: optional(
        Type.String({
          pattern: labelPattern,
          description: "label that is to hold the host, such as instance",
        }),
      ),
      lines: oneOf(["masked", "raw"], { default: "masked" }),
      /** A score; a severity among `labels` holds instead. */
      criticalFrom: Type.Number({ minimum: 0, maximum: 1, default: 0.95 }),
      /** Beyond, one alert says that there are more. */
      maxActive: count(1, 20),
    },
    { default: {} },
  ),
});

export const configSchema = object({
  kafka: object(
    {
      brokers: Type.Array(text(), { minItems: 1, default: ["localhost:9092"] }),
      clientId: text({ default: "logguardian" }),
      tls: optional(tls),
      sasl: optional(
        object({
          mechanism: oneOf(["plain", "scram-sha-256", "scram-sha-512"]),
          username: text(),
          password: text(),
        }),
      ),
    },
    { default: {} },
  ),
  redis: object(
    {
      url: text({ default: "redis://localhost:6379", pattern: redisUrl }),
      /** Some of the nodes of a cluster, instead of `url`; they name the others. */
      cluster: optional(Type.Array(text({ pattern: redisUrl }), { minItems: 1 })),
      /** Who knows the master, instead of `url`. */
      sentinel: optional(
        object({
          urls: Type.Array(text({ pattern: redisUrl }), { minItems: 1 }),
          name: text({ description: "what Sentinel calls the master" }),
          username: optional(text()),
          password: optional(text()),
        }),
      ),
      username: optional(text()),
      password: optional(text()),
      tls: optional(tls),
    },
    { default: {} },
  ),
  alertmanager: object(
    {
      urls: Type.Array(text({ pattern: "^https?://" }), { default: [] }),
      username: optional(text()),
      password: optional(text()),
      bearerToken: optional(text()),
      tls: optional(tls),
    },
    { default: {} },
  ),
  schemaRegistry: optional(
    object({
      url: text({ pattern: "^https?://" }),
      username: optional(text()),
      password: optional(text()),
      bearerToken: optional(text()),
    }),
  ),
  topics: object(
    {
      prefix: text({ default: "logguardian", pattern: "^[A-Za-z0-9._-]+$" }),
      replicationFactor: count(1, 1),
      retention: duration("7d"),
    },
    { default: {} },
  ),
  http: object(
    {
      host: text({ default: "127.0.0.1" }),
      port: Type.Integer({ minimum: 0, maximum: 65535, default: 9464 }),
    },
    { default: {} },
  ),
  api,
  log: object({ level: oneOf(["debug", "info", "warn", "error"], { default: "info" }) }, { default: {} }),
  limits: object(
    {
      inFlight: size("64MB"),
      sessionTimeout: duration("10s"),
      /** Without progress for longer, with work to do and nothing that it waits for, a process ends. */
      stuckAfter: duration("60s"),
    },
    { default: {} },
  ),
  inference: object(
    {
      provider: oneOf(["auto", "cpu", "cuda"], { default: "auto" }),
      gpuLayers: Type.Union([Type.Literal("auto"), Type.Integer({ minimum: 0 })], {
        default: "auto",
        description: "must be auto or a number of layers",
      }),
      llamaThreads: count(0, 0),
      onnxThreads: count(0, 0),
      // With the live ones llama.cpp takes 256 sequences.
      batchSize: Type.Integer({ minimum: 1, maximum: 128, default: 32 }),
      liveWindows: Type.Integer({ minimum: 0, maximum: 128, default: 32 }),
      lineCache: size("64MB"),
      verdictCache: size("64MB"),
    },
    { default: {} },
  ),
  /** Each checked by `pipelineSchema`. */
  pipelines: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
});

export type WindowConfig = Static<(typeof windowSchemas)[keyof typeof windowSchemas]>;
export type PipelineConfig = Omit<Static<typeof pipelineSchema>, "window"> & { window: WindowConfig };
export type Config = Omit<Static<typeof configSchema>, "pipelines"> & {
  pipelines: Record<string, PipelineConfig>;
};
