import swagger from "@fastify/swagger";
import { packageVersion } from "../package-root.ts";
import type { ApiServer } from "./api-server.ts";

const description = `Judges log lines, and gives what the stream found.

Without a token it listens on this machine only, and everybody may do everything. With tokens, each has scopes: \`read\`
(anomalies, patterns, metrics), \`detect\` (detection and its jobs), \`feedback\`, and \`admin\` (all of them, and the jobs of
others). Errors are problem details (RFC 9457), which name the fields that are wrong.`;

/** The document is made of the routes' schemas; before any route. */
export async function documentRoutes(server: ApiServer): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "LogGuardian", version: packageVersion(), description, license: { name: "Apache-2.0" } },
      tags: [
        { name: "detection", description: "Lines to verdicts" },
        { name: "anomalies", description: "What was found, and what people say of it" },
        { name: "service" },
      ],
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
      security: [{ bearer: [] }],
    },
    refResolver: { buildLocalReference: (json) => String(json.$id) },
  });
}

export function openApiRoute(server: ApiServer): void {
  server.get("/openapi.json", { schema: { hide: true } }, async () => server.swagger());
}
