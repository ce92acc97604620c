import { Type } from "typebox";
import { packageVersion } from "../../package-root.ts";
import { waits } from "../../telemetry/health.ts";
import type { ApiDeps, ApiServer } from "../api-server.ts";
import { oneOf, orNull } from "../schemas.ts";

const answer = Type.Object({
  status: oneOf(["ok", "waiting", "stuck"]),
  live: Type.Boolean({ description: "false: something is stuck, and the process ends itself" }),
  ready: Type.Boolean({ description: "live, started, and waiting for nothing" }),
  waits: Type.Array(oneOf(waits), { description: "what it waits for" }),
  model: orNull(Type.Object({ name: Type.String(), version: Type.String(), max_lines: Type.Integer() }), {
    description: "of POST /detect; null: not opened yet, as nobody has asked",
  }),
  version: Type.String({ description: "of LogGuardian" }),
});

export function healthRoutes(server: ApiServer, { health, detection }: ApiDeps): void {
  const version = packageVersion();
  server.get(
    "/health",
    {
      schema: {
        tags: ["service"],
        summary: "Whether it lives, is ready, and what it waits for",
        security: [],
        response: {
          200: { ...answer, description: "It lives." },
          503: { ...answer, description: "It is stuck." },
        },
      },
    },
    async (_, reply) => {
      const { live, ready, waits } = health.state();
      const model = detection.model();
      return reply.code(live ? 200 : 503).send({
        status: ready ? "ok" : live ? "waiting" : "stuck",
        live,
        ready,
        waits,
        model:
          model === undefined
            ? null
            : { name: model.name, version: model.version, max_lines: model.maxLines },
        version,
      });
    },
  );
}
