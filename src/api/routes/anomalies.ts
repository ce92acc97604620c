import { Type } from "typebox";
import { anomalyFilter, queryOf } from "../anomaly-query.ts";
import { type AnomalyView, anomalyId, anomalySchema, detailSchema } from "../anomaly-schemas.ts";
import { searchAnomalies } from "../anomaly-search.ts";
import { viewOf } from "../anomaly-view.ts";
import type { ApiDeps, ApiServer } from "../api-server.ts";
import { maySee } from "../authentication.ts";
import { onRedis, type Patience } from "../patience.ts";
import { refusal } from "../problem.ts";
import { whileWanted } from "../scans.ts";
import { byDefault, given, orNull, problems, ref } from "../schemas.ts";
import { isSuppressed } from "../suppressions.ts";

const mostOfPage = 1000;
const place = "^[0-9]{15}:[0-9a-f]{32}$";

export function anomalyRoutes(
  server: ApiServer,
  { index, bundles }: ApiDeps,
  { within }: { within: Patience },
): void {
  server.get(
    "/anomalies",
    {
      config: { scope: "read" },
      schema: {
        tags: ["anomalies"],
        summary: "What was found, the newest first",
        description:
          "In the order of the windows' ends. A page may hold fewer than limit, even none, and have a next one: rare ones are looked for step by step.",
        querystring: given({
          ...anomalyFilter,
          limit: byDefault(Type.Integer({ minimum: 1, maximum: mostOfPage, default: 100 })),
          cursor: Type.Optional(
            Type.String({ pattern: place, description: "next_cursor of the page before" }),
          ),
        }),
        response: {
          200: {
            description: "A page.",
            ...Type.Object({
              anomalies: Type.Array(Type.Unsafe<AnomalyView>({ $ref: `${anomalySchema.$id}#` })),
              next_cursor: orNull(Type.String(), { description: "null: there is no more" }),
            }),
          },
          ...problems(422, 503),
        },
      },
    },
    async ({ query: { limit, cursor, ...asked }, caller }) => {
      const query = queryOf(asked, caller);
      const { found, next } = await within(
        (signal) => searchAnomalies(whileWanted(index, signal), query, { after: cursor, limit }),
        onRedis,
      );
      return { anomalies: found.map(viewOf), next_cursor: next };
    },
  );

  server.get(
    "/anomalies/:id",
    {
      config: { scope: "read" },
      schema: {
        tags: ["anomalies"],
        summary: "One of them, with its window's lines",
        params: given({ id: anomalyId }),
        response: {
          200: {
            description: "Its newest revision.",
            content: { "application/json": { schema: ref(detailSchema) } },
          },
          ...problems(404, 503),
        },
      },
    },
    async ({ params: { id }, caller }, reply) => {
      const found = await within(() => index.get(id), onRedis);
      if (found === undefined || !maySee(caller, found.summary.pipeline)) throw unknownAnomaly(id);
      return reply.send({
        ...viewOf(found),
        suppressed: await within(() => isSuppressed(index, found.summary, Date.now(), bundles), onRedis),
        document: found.document,
      });
    },
  );
}

export function unknownAnomaly(id: string) {
  return refusal(
    "LG_API_UNKNOWN",
    `There is no anomaly ${id}.`,
    "GET /anomalies lists those that there are; they are forgotten after api.index.retention.",
  );
}
