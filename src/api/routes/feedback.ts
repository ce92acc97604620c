import { isoTime } from "../../ingest/time.ts";
import { feedbackOn } from "../../verdict/feedback.ts";
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
          "The newest holds. A false alarm's fingerprint alerts nobody from now on, until `until`, or another bundle judges its pipeline.",
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
      const at = Date.now();
      const untilMs = until === undefined ? undefined : isoTime(until);
      if (until !== undefined && judgement !== "false-alarm")
        throw refusedField("until", "belongs to a false alarm", "body");
      if (until !== undefined && (untilMs === undefined || untilMs <= at))
        throw refusedField("until", "is no time to come, such as 2027-01-01T00:00:00Z", "body");
      const found = await within(() => index.get(id), onRedis);
      if (found === undefined || !maySee(caller, found.summary.pipeline)) throw unknownAnomaly(id);
      const feedback = feedbackOn(found.document, {
        ...{ judgement, at, by: caller.name },
        ...(note === undefined ? {} : { note }),
        ...(untilMs === undefined ? {} : { until: untilMs }),
      });
      await within(() => say(feedback), onBoth);
      metrics.feedback.inc({ pipeline: feedback.pipeline, judgement });
      logger.info("Somebody said something of a verdict.", { id, judgement, by: caller.name });
      return reply.code(201).send({ feedback: feedbackView(feedback) });
    },
  );
}
