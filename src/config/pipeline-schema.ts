import { type Static, Type } from "typebox";
import { formatNames } from "../ingest/formats/index.ts";
import { originFields } from "../ingest/keys.ts";
import { layoutNames } from "../ingest/layouts.ts";
import {
  byName,
  duration,
  either,
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

/** A window must fit one message of Kafka, however little of each line that leaves. */
const mostLines = 2000;
const labelPattern = "^[a-zA-Z_][a-zA-Z0-9_]*$";

/** What is judged for no pipeline of the configuration goes by this name, in metrics and documents. */
export const detectPipeline = "detect";

/** By the window's `kind`. */
export const windowSchemas = {
  sliding: object({
    kind: Type.Literal("sliding", { description: "of so many lines of one key" }),
    size: whole("lines; at most what the bundle takes (`logguardian model inspect`; starter: 128)", {
      minimum: 1,
      maximum: mostLines,
    }),
    stride: whole("lines from one window's first to the next one's; at most `size`", { minimum: 1 }),
    idle: optional(
      duration("a key silent for longer ends, and its rest is judged; not set, it waits for more"),
    ),
  }),
  session: object({
    kind: Type.Literal("session", { description: "of all lines of one key" }),
    gap: duration("a session ends when its key is silent for so long", "30m"),
    maxLines: whole(
      "or when it has so many lines; more than the bundle takes (starter: 128) are kept, but not judged",
      { minimum: 1, maximum: mostLines, default: 1000 },
    ),
    end: optional(text("or with a line that has this, an RE2 expression such as `(session closed|logout)$`")),
  }),
  time: object({
    kind: Type.Literal("time", { description: "of the lines of one key in a span of time" }),
    span: duration("how long a window is"),
    slide: optional(
      duration("a window begins at every multiple of it; not set, the span: windows do not overlap"),
    ),
    lateness: duration(
      "how long after its end, in the time of the logs, a window still takes late lines",
      "0s",
    ),
    maxLines: whole(
      "or when it has so many lines, and with it the key's other open windows; as for sessions",
      {
        minimum: 1,
        maximum: mostLines,
        default: 1000,
      },
    ),
  }),
};

const fields = (description: string) =>
  object(
    {
      line: optional(text("the line itself")),
      time: optional(text("when it was written")),
      host: optional(text("where")),
      file: optional(text("the file it stands in")),
      pod: optional(text("of Kubernetes")),
      container: optional(text("of Kubernetes")),
    },
    { description },
  );

export const pipelineSchema = object({
  topics: list(
    "raw topics, which must exist; one in another format names its own",
    either(
      "a topic",
      [
        text("a name"),
        object({
          name: text("of a topic"),
          format: optional(oneOf("of its records", formatNames)),
          fields: optional(fields("as the pipeline's")),
        }),
      ],
      { expected: "must be a topic's name, or such as { name: app, format: filebeat }" },
    ),
    { minItems: 1 },
  ),
  from: oneOf("where a pipeline that never ran begins", ["earliest", "latest"], "latest"),
  format: oneOf("of the records; `logguardian decode` shows how they are read", formatNames),
  fields: optional(
    fields(
      "of auto, json, msgpack and avro: paths such as `event.text` to what makes a line; not set, the usual places",
    ),
  ),
  layout: either(
    "of the lines: their own time and header; a pattern is an RE2 expression with a group `content`",
    [oneOf("by name", layoutNames), object({ pattern: text("an RE2 expression") })],
    {
      default: "none",
      expected: `must be ${layoutNames.join(", ")}, or a pattern such as { pattern: '^(?P<time>\\S+) (?P<content>.*)$' }`,
    },
  ),
  mask: optional(
    object(
      {
        custom: list(
          "replacements, in this order",
          object({
            name: text("of it"),
            regex: text("an RE2 expression"),
            token: Type.String({ description: "what stands instead" }),
          }),
          { default: [] },
        ),
      },
      { description: "before the bundle's own patterns; only where the bundle was trained with the same" },
    ),
  ),
  key: either(
    "what tells windows apart: a line's origin (host, pod and container, else host and file), some fields of it, a pattern in its text, or the record's own key",
    [
      oneOf("by name", ["origin", "kafka"]),
      object({ pattern: text("an RE2 expression; a line with several matches goes to the window of each") }),
      object({
        fields: list("of the origin", oneOf("a field", originFields), { minItems: 1, uniqueItems: true }),
      }),
    ],
    {
      default: "origin",
      expected: `must be origin, kafka, fields of ${originFields.join(", ")} such as { fields: [host] }, or a pattern such as { pattern: 'blk_-?\\d+' }`,
    },
  ),
  /** Checked by `windowSchemas`: which of them depends on its `kind`. */
  window: object(
    { kind: oneOf("see below", ["sliding", "session", "time"]) },
    { additionalProperties: true, description: "which lines are judged together" },
  ),
  partitions: whole("of the lines topic; cannot be changed later", { minimum: 1, default: 16 }),
  bundle: optional(text("directory of its bundle; not set, the starter bundle")),
  threshold: optional(share("on the score; not set, the bundle's")),
  next: optional(
    object(
      {
        bundle: text("directory"),
        threshold: optional(share("on the score; not set, the bundle's")),
        share: Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 1, description: "of the windows" }),
      },
      {
        description:
          "the bundle that is to take over: it judges the same windows beside the other, and nothing of it alerts ([models](models.md))",
      },
    ),
  ),
  publish: oneOf(
    "verdicts on the anomalies topic: anomalous and undecided ones, or all",
    ["anomalous", "all"],
    "anomalous",
  ),
  idleAfter: duration("a raw partition silent for so long no longer holds windows open", "30s"),
  early: optional(
    object(
      { everyLines: whole("at each multiple of so many lines", { minimum: 1 }) },
      {
        description:
          "windows are judged before they close, too ([early verdicts](operating.md#early-verdicts))",
      },
    ),
  ),
  limits: section("quotas, [shared equally](operating.md#quotas) by the pipeline's partitions", {
    maxOpenWindows: whole("beyond, the one silent for longest closes", { minimum: 1, default: 100_000 }),
    maxOpenBytes: size("of open windows; beyond, the one silent for longest closes", "1GB"),
    linesPerSecond: optional(whole("read from the raw topics; beyond, reading pauses", { minimum: 1 })),
  }),
  alert: section("what Alertmanager is told ([alerts](alerts.md))", {
    enabled: yesOrNo("whether it is told anything", true),
    hold: duration("an alert ends when its anomaly was not seen for so long; at least 5m", "5m"),
    labels: byName(
      "added to each alert; a `severity` here replaces the one by score",
      labelPattern,
      text("such as `{ team: storage }`"),
    ),
    originLabel: optional(
      text("the label that holds the host, such as `instance`: an anomaly on two hosts is then two alerts", {
        pattern: labelPattern,
      }),
    ),
    lines: oneOf("how log lines are told", ["masked", "raw"], "masked"),
    criticalFrom: share("score from which on the severity is critical, not warning", 0.95),
    maxActive: whole("alerts at once; beyond, one alert LogAnomalyStorm speaks for the others", {
      minimum: 1,
      default: 20,
    }),
  }),
});

export type WindowConfig = Static<(typeof windowSchemas)[keyof typeof windowSchemas]>;
export type PipelineConfig = Omit<Static<typeof pipelineSchema>, "window"> & { window: WindowConfig };
