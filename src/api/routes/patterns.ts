import { Type } from "typebox";
import { anomalyPatterns } from "../anomaly-patterns.ts";
import { inTime, queryOf } from "../anomaly-query.ts";
import { fingerprint, patternSchema, suppressionSchema } from "../anomaly-schemas.ts";
import { isoOf, viewOf } from "../anomaly-view.ts";
import type { ApiDeps, ApiServer } from "../api-server.ts";
import { type Caller, maySee } from "../authentication.ts";
import type { Scans } from "../scans.ts";
import { byDefault, given, optional, problems, ref } from "../schemas.ts";
import { mostShown, suppressionsOf } from "../suppressions.ts";

export function patternRoutes(
  server: ApiServer,
  { bundles }: Pick<ApiDeps, "bundles">,
  { scans }: { scans: Scans },
): void {
  server.get(
    "/patterns",
    {
      config: { scope: "read" },
      schema: {
        tags: ["anomalies"],
        summary: "Anomalous windows by fingerprint, the most frequent first",
        querystring: given({
          ...inTime,
          fingerprint: optional(fingerprint),
          buckets: byDefault(
            Type.Integer({
              minimum: 1,
              maximum: 200,
              default: 24,
              description: "parts of each trend",
            }),
          ),
        }),
        response: {
          200: {
            description: "What was seen again and again, and what was not.",
            content: {
              "application/json": {
                schema: Type.Object({
                  from: Type.String({ description: "as asked, else of the oldest window" }),
                  to: Type.String({ description: "as asked, else of the newest window" }),
                  bucket_seconds: Type.Number(),
                  patterns: Type.Array(ref(patternSchema)),
                  partial: Type.Boolean({
                    description: "there are more than 50,000 windows, or 500 patterns: ask for less time",
                  }),
                }),
              },
            },
          },
          ...problems(422, 503),
        },
      },
    },
    async ({ query: { buckets, ...asked }, caller }, reply) => {
      const query = queryOf(asked, caller);
      const { from, to, patterns, isPartial } = await scans.ask(
        ["patterns", seenBy(caller), asked, buckets],
        (index) => anomalyPatterns(index, query, { buckets, now: Date.now(), bundles }),
      );
      return reply.send({
        from: isoOf(from),
        to: isoOf(to),
        bucket_seconds: (to - from) / 1000 / buckets,
        partial: isPartial,
        patterns: patterns.map(
          ({ fingerprint, pipeline, windows, origins, trend, novelty, score, ...pattern }) => ({
            ...{ fingerprint, pipeline, windows, origins, trend, novelty, score },
            top_origins: pattern.topOrigins,
            first_seen: pattern.firstSeen,
            last_seen: pattern.lastSeen,
            feedback: { confirmed: pattern.feedback.confirmed, false_alarms: pattern.feedback.falseAlarms },
            suppressed: pattern.isSuppressed,
            newest: viewOf(pattern.newest),
          }),
        ),
      });
    },
  );

  server.get(
    "/suppressions",
    {
      config: { scope: "read" },
      schema: {
        tags: ["anomalies"],
        summary: "False alarms, and what nobody was alerted of because of them",
        response: {
          200: {
            description: "What is in force first, then the newest; those that were taken back are left out.",
            content: {
              "application/json": {
                schema: Type.Object({
                  suppressions: Type.Array(ref(suppressionSchema)),
                  partial: Type.Boolean({ description: `there are more than ${mostShown}` }),
                }),
              },
            },
          },
          ...problems(503),
        },
      },
    },
    async ({ caller }, reply) => {
      const isVisible = (pipeline: string) => maySee(caller, pipeline);
      const found = await scans.ask(["suppressions", seenBy(caller)], (index) =>
        suppressionsOf(index, { now: Date.now(), isVisible, bundles }),
      );
      return reply.send({
        partial: found.isPartial,
        suppressions: found.suppressions.map(({ said, state, windows, isMore, newest }) => ({
          anomaly_id: said.id,
          pipeline: said.pipeline,
          fingerprint: said.fingerprint,
          state,
          since: isoOf(said.at),
          until: said.until === undefined ? null : isoOf(said.until),
          by: said.by,
          note: said.note ?? null,
          model: said.model,
          windows,
          more: isMore,
          newest: newest === undefined ? null : viewOf(newest),
        })),
      });
    },
  );
}

/** Callers of whom this is equal are answered alike. */
function seenBy({ pipelines }: Caller): readonly string[] | null {
  return pipelines === undefined ? null : [...pipelines].sort();
}
