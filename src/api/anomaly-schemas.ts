import { type Static, Type } from "typebox";
import { earlyStages } from "../verdict/anomaly.ts";
import { judgements } from "../verdict/feedback.ts";
import { given, idPattern, named, oneOf, optional, orNull, time, verdict } from "./schemas.ts";

export const anomalyId = Type.String({
  pattern: idPattern,
  description: "of the verdict: event.id, lg-id",
});
export const fingerprint = Type.String({
  minLength: 1,
  maxLength: 64,
  description: "the same for the same fault elsewhere",
});
export const pipelineName = Type.String({
  minLength: 1,
  maxLength: 200,
  description: "a replay is one of its own",
});
const model = Type.Object(
  { name: Type.String(), version: Type.String() },
  { description: "the bundle that judged" },
);

/** What a list shows of an anomaly; kept so in the index. */
const summary = {
  id: Type.String({ description: "of the verdict" }),
  pipeline: Type.String(),
  verdict,
  reason: optional(Type.String({ description: "why it is undecided: a stable code" })),
  stage: orNull(oneOf(earlyStages), {
    description:
      "of one that was raised before its window closed: raised while it is open, then confirmed, withdrawn (it is normal), or moved (its lines stand in another window)",
  }),
  moved_to: optional(Type.String({ description: "id of the verdict in whose window the lines stand now" })),
  replay: optional(Type.String({ description: "label of the replay that judged again" })),
  revision: Type.Integer(),
  start: Type.String({ description: "event time of the window's first line" }),
  end: Type.String({ description: "event time of its last line; lists are in its order" }),
  detected_at: Type.String({ description: "when the verdict was published" }),
  origin: Type.String({
    description: "where the line was written that weighs most: host and file, pod and container",
  }),
  key: Type.String({ description: "what makes the window's lines belong together" }),
  score: orNull(Type.Number(), { description: "0 to 1; null where undecided" }),
  threshold: Type.Number({ description: "anomalous from this score on" }),
  novelty: orNull(Type.Number(), {
    description:
      "how unlike all lines of training its most unlike line is, 0 to 2; null where the bundle cannot tell",
  }),
  fingerprint: orNull(Type.String(), { description: "of anomalous ones" }),
  model,
  lines: Type.Integer({ description: "of the window" }),
  heaviest: Type.Array(
    Type.Object({
      text: Type.String(),
      masked: Type.String({ description: "as the model sees it" }),
      weight: Type.Number({ description: "how much of the verdict is its own" }),
    }),
    { description: "the lines that weigh most, at most three, shortened" },
  ),
};
export type AnomalySummary = Static<ReturnType<typeof Type.Object<typeof summary>>>;

export const feedbackSchema = named(
  "Feedback",
  Type.Object(
    {
      judgement: oneOf(["confirmed", "false-alarm"]),
      at: Type.String(),
      by: Type.String({ description: "name of the token, or of the user of the command" }),
      note: orNull(Type.String()),
      until: orNull(Type.String(), {
        description: "when the false alarm's fingerprint alerts again; null: with another bundle",
      }),
    },
    { description: "The newest that a person said of it" },
  ),
);

const said = orNull(Type.Unsafe<Static<typeof feedbackSchema>>({ $ref: `${feedbackSchema.$id}#` }), {
  description: "null: nobody said anything, or it was taken back",
});

export const anomalySchema = named(
  "Anomaly",
  Type.Object({ ...summary, feedback: said }, { description: "An anomaly as lists show it" }),
);
export type AnomalyView = Static<typeof anomalySchema>;

const line = Type.Object({
  text: Type.String({ description: "as it was written; to be shown as text alone" }),
  masked: Type.String({ description: "as the model sees it" }),
  time: Type.String(),
  weight: optional(
    Type.Number({ description: "how much lower the margin is when the question does not see it" }),
  ),
  novelty: optional(Type.Number()),
  host: optional(Type.String()),
  file: optional(Type.String()),
  pod: optional(Type.String()),
  container: optional(Type.String()),
  position: Type.String({ description: "topic, partition, offset and index within the record" }),
});

/** `verdict/anomaly.ts` has it in full. */
const document = Type.Object(
  {
    "@timestamp": Type.String(),
    message: Type.String(),
    event: Type.Object({ id: Type.String(), kind: Type.String(), start: Type.String(), end: Type.String() }),
    logguardian: Type.Object({
      key: Type.String(),
      margin: orNull(Type.Number()),
      window: Type.Object({
        lines: Type.Integer(),
        scored: Type.Integer({ description: "lines that the model saw" }),
        closed: Type.String({ description: "why it closed; open: it goes on" }),
      }),
      lines: Type.Array(line),
    }),
  },
  { description: "The verdict as the anomalies topic has it, with names of the Elastic Common Schema" },
);

export const detailSchema = named(
  "AnomalyDetail",
  Type.Object(
    {
      ...summary,
      feedback: said,
      suppressed: Type.Boolean({ description: "nobody is alerted of its fingerprint now" }),
      document,
    },
    { description: "An anomaly with its window's lines" },
  ),
);

export const feedbackBody = given(
  {
    judgement: oneOf(judgements, {
      description: "false-alarm: its fingerprint alerts nobody any more. undone: as if nothing had been said",
    }),
    note: optional(Type.String({ maxLength: 2000 })),
    until: optional(
      time({ description: "of a false alarm: when its fingerprint alerts again; else with another bundle" }),
    ),
  },
  { examples: [{ judgement: "false-alarm", note: "planned failover", until: "2027-01-01T00:00:00Z" }] },
);

export const patternSchema = named(
  "Pattern",
  Type.Object(
    {
      fingerprint: Type.String(),
      pipeline: Type.String(),
      windows: Type.Integer(),
      origins: Type.Integer({ description: "how many different ones" }),
      top_origins: Type.Array(Type.Object({ name: Type.String(), windows: Type.Integer() }), {
        description: "those with the most windows, at most ten",
      }),
      first_seen: Type.String({ description: "event time of the first window's begin" }),
      last_seen: Type.String({ description: "event time of the last window's end" }),
      trend: Type.Array(Type.Integer(), { description: "windows by time, in equal parts of from to to" }),
      novelty: orNull(Type.Number(), { description: "the greatest of its windows" }),
      score: orNull(Type.Number(), { description: "the greatest of its windows" }),
      feedback: Type.Object({ confirmed: Type.Integer(), false_alarms: Type.Integer() }),
      suppressed: Type.Boolean({ description: "nobody is alerted of it now" }),
      newest: Type.Unsafe<AnomalyView>({ $ref: `${anomalySchema.$id}#` }),
    },
    { description: "Anomalous windows of one fingerprint" },
  ),
);

export const suppressionSchema = named(
  "Suppression",
  Type.Object(
    {
      anomaly_id: Type.String({ description: "of which it was said; POST undone to it to take it back" }),
      pipeline: Type.String(),
      fingerprint: Type.String(),
      state: oneOf(["active", "ended", "other-bundle"], {
        description:
          "ended: until has passed. other-bundle: the pipeline is judged by another one, and alerts again",
      }),
      since: Type.String(),
      until: orNull(Type.String(), { description: "null: another bundle" }),
      by: Type.String(),
      note: orNull(Type.String()),
      model,
      windows: Type.Integer({
        description: "that nobody was alerted of because of it, of those in the index",
      }),
      more: Type.Boolean({ description: "there are more windows than were counted" }),
      newest: orNull(Type.Unsafe<AnomalyView>({ $ref: `${anomalySchema.$id}#` })),
    },
    { description: "A false alarm, and what it suppresses" },
  ),
);
