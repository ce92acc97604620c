import { Type } from "typebox";
import type { ApiDeps, ApiServer } from "../api-server.ts";
import { problems } from "../schemas.ts";

export function metricsRoutes(server: ApiServer, { metrics }: ApiDeps): void {
  server.get(
    "/metrics",
    {
      config: { scope: "read" },
      schema: {
        tags: ["service"],
        summary: "Metrics for Prometheus",
        response: {
          200: {
            description: "In Prometheus' text format.",
            content: { "text/plain": { schema: Type.String() } },
          },
          ...problems(),
        },
      },
    },
    async (_, reply) => reply.type("text/plain; version=0.0.4; charset=utf-8").send(await metrics.text()),
  );
}
