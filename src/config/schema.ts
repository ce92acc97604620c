import { type Static, Type } from "typebox";
import { apiSchema } from "./api-schema.ts";
import type { PipelineConfig } from "./pipeline-schema.ts";
import { duration, either, list, object, oneOf, optional, section, size, text, whole } from "./settings.ts";

const redisUrl = "^rediss?://";

const tls = (description: string) =>
  optional(
    object(
      {
        ca: optional(text("PEM file of the authority, where the system does not know it")),
        certificate: optional(text("PEM file, where the other side asks for a client's certificate")),
        key: optional(text("PEM file of the certificate's key")),
      },
      { description },
    ),
  );

const fromFile = "better from a file";

export const configSchema = object({
  kafka: section("whose topics are read and written", {
    brokers: list("some of them; they name the others", text("host:port"), {
      minItems: 1,
      default: ["localhost:9092"],
    }),
    clientId: text("what brokers call this client", { default: "logguardian" }),
    tls: tls("an empty section, `{}`, is TLS with the authorities that the system knows"),
    sasl: optional(
      object(
        {
          mechanism: oneOf("as the listener's", ["plain", "scram-sha-256", "scram-sha-512"]),
          username: text("of this client"),
          password: text(fromFile),
        },
        { description: "where the listener asks who one is" },
      ),
    ),
  }),
  redis: section(
    "open windows, active alerts, the API's index and jobs ([forms of it](operating.md#redis))",
    {
      url: text("`rediss://` for TLS", { default: "redis://localhost:6379", pattern: redisUrl }),
      cluster: optional(
        list(
          "instead of `url`: some nodes of a Redis Cluster; they name the others",
          text("a URL", { pattern: redisUrl }),
          {
            minItems: 1,
          },
        ),
      ),
      sentinel: optional(
        object(
          {
            urls: list("of the Sentinels", text("a URL", { pattern: redisUrl }), { minItems: 1 }),
            name: text("what Sentinel calls the master"),
            username: optional(text("of the Sentinels")),
            password: optional(text(fromFile)),
          },
          { description: "instead of `url`: who knows the master" },
        ),
      ),
      username: optional(text("of every node")),
      password: optional(text(fromFile)),
      tls: tls("of every node"),
    },
  ),
  alertmanager: section("who tells people ([alerts](alerts.md))", {
    urls: list(
      "of all members of a cluster; none: nobody is alerted",
      text("a URL", { pattern: "^https?://" }),
      {
        default: [],
      },
    ),
    username: optional(text("of this client")),
    password: optional(text(fromFile)),
    bearerToken: optional(text(`instead of username and password; ${fromFile}`)),
    tls: tls("for URLs that begin with `https://`"),
  }),
  schemaRegistry: optional(
    object(
      {
        url: text("such as `https://schemas.example.com`", { pattern: "^https?://" }),
        username: optional(text("of this client")),
        password: optional(text(fromFile)),
        bearerToken: optional(text(`instead of username and password; ${fromFile}`)),
      },
      { description: "of Confluent's kind, for the format avro" },
    ),
  ),
  topics: section(
    "those that LogGuardian makes: `<prefix>.lines.<pipeline>`, `.windows.<pipeline>`, `.anomalies`, `.feedback`, `.dead-letters`, and `.shadow` where a pipeline has `next`",
    {
      prefix: text("of their names, and of consumer groups", {
        default: "logguardian",
        pattern: "^[A-Za-z0-9._-]+$",
      }),
      replicationFactor: whole("3 on a cluster", { minimum: 1, default: 1 }),
      retention: duration("of all but feedback, which is kept", "7d"),
    },
  ),
  http: section("`/metrics`, `/health` and `/ready` of every process", {
    host: text("to listen on; 0.0.0.0 in a container", { default: "127.0.0.1" }),
    port: whole("0 chooses", { minimum: 0, maximum: 65535, default: 9464 }),
  }),
  api: apiSchema,
  log: section("what a process tells on standard error: JSON lines, for people on a terminal", {
    level: oneOf("lowest level that is told", ["debug", "info", "warn", "error"], "info"),
  }),
  limits: section("of a process", {
    inFlight: size("read from Kafka and not yet durable, for each role of each pipeline", "64MB"),
    sessionTimeout: duration("how long a dead process holds its partitions", "10s"),
    stuckAfter: duration("a process without progress ends, if it has work and waits for nothing", "60s"),
  }),
  inference: section("of the models", {
    provider: oneOf("of the encoder", ["auto", "cpu", "cuda"], "auto"),
    gpuLayers: either(
      "of the language model on a GPU",
      [Type.Literal("auto"), Type.Integer({ minimum: 0 })],
      {
        default: "auto",
        expected: "must be auto or a number of layers",
      },
    ),
    llamaThreads: whole("of the language model; 0: one fewer than the cores ([sizing](sizing.md))", {
      minimum: 0,
      default: 0,
    }),
    onnxThreads: whole("of the encoder; 0: ONNX Runtime chooses", { minimum: 0, default: 0 }),
    // With the live ones llama.cpp takes 256 sequences.
    batchSize: whole("windows judged at once", { minimum: 1, maximum: 128, default: 32 }),
    liveWindows: whole(
      "open windows whose lines the language model keeps, where a pipeline has `early`: its cache grows by as many",
      { minimum: 0, maximum: 128, default: 32 },
    ),
    lineCache: size("embeddings of masked lines", "64MB"),
    verdictCache: size("verdicts of masked windows", "64MB"),
  }),
  /** Each checked by `pipelineSchema`. */
  pipelines: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
});

export type Config = Omit<Static<typeof configSchema>, "pipelines"> & {
  pipelines: Record<string, PipelineConfig>;
};
