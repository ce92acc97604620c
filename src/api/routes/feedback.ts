import { isoTime } from "../../ingest/time.ts";
import { type Feedback, feedbackAgain, feedbackOn, type Saying, timeAfter } from "../../verdict/feedback.ts";
import type { StatedFeedback } from "../anomaly-index.ts";
import { anomalyId, feedbackBody, feedbackSchema } from "../anomaly-schemas.ts";
import { feedbackView } from "../anomaly-view.ts";
import type { ApiDeps, ApiServer } from "../api-server.ts";
import { maySee } from "../authentication.ts";
import { onBoth, onRedis, type Patience } from "../patience.ts";
import { refusedField } from "../problem.ts";
import { given, orNull, problems, ref } from "../schemas.ts";
import { unknownAnomaly } from "./anomalies.ts";

export function feedbackRoutes(
  server: ApiServer,
  { index, say, metrics, logger }: ApiDeps,
  { within }: { within: Patience },
): void {
  server.post(
    "/anomalies/:id/feedback",
    {
      config: { scope: "feedback" },
      schema: {
        tags: ["anomalies"],
        summary: "Say that it is one, that it is a false alarm, or take back what was said",
        description:
          "The newest holds. A false alarm's fingerprint alerts nobody from now on, until `until`, or another bundle judges its pipeline. What was said of an anomaly that is forgotten may be taken back.",
        params: given({ id: anomalyId }),
        body: feedbackBody,
        response: {
          201: {
            description: "It is durable.",
            content: {
              "application/json": {
                schema: {
                  type: "object",
                  required: ["feedback"],
                  properties: { feedback: orNull(ref(feedbackSchema)) },
                },
              },
            },
          },
          ...problems(404, 413, 415, 422, 503),
        },
      },
    },
    async ({ params: { id }, body: { judgement, note, until }, caller }, reply) => {
      const untilMs = until === undefined ? undefined : isoTime(until);
      if (until !== undefined && judgement !== "false-alarm")
        throw refusedField("until", "belongs to a false alarm", "body");
      if (until !== undefined && (untilMs === undefined || untilMs <= Date.now()))
        throw refusedField("until", "is no time to come, such as 2027-01-01T00:00:00Z", "body");
      const [found, before] = await within(() => Promise.all([index.get(id), index.said(id)]), onRedis);
      const said = {
        ...{ judgement, at: timeAfter(before), by: caller.name },
        ...(note === undefined ? {} : { note }),
        ...(untilMs === undefined ? {} : { until: untilMs }),
      };
      const feedback = found === undefined ? takenBack(before, said) : feedbackOn(found.document, said);
      if (feedback === undefined || !maySee(caller, feedback.pipeline)) throw unknownAnomaly(id);
      await within(() => say(feedback), onBoth);
      metrics.feedback.inc({ pipeline: feedback.pipeline, judgement });
      logger.info("Somebody said something of a verdict.", { id, judgement, by: caller.name });
      return reply.code(201).send({ feedback: feedbackView(feedback) });
    },
  );
}

/** Of an anomaly that is forgotten nothing else is said: the window's lines, which are trained on, are not known here. */
function takenBack(before: StatedFeedback | undefined, said: Saying): Feedback | undefined {
  return before === undefined || said.judgement !== "undone" ? undefined : feedbackAgain(before, said);
}
