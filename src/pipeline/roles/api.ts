import { createApiServer, listen } from "../../api/server.ts";
import { createDetection } from "../api-detection.ts";
import type { Role, Services } from "../services.ts";

/** The API of all pipelines. */
export async function createApiRole(services: Services): Promise<Role> {
  const { config, logger, metrics, health } = services;
  const detection = createDetection(config, services);
  const server = await createApiServer({
    ...{ config: config.api, logger, metrics, health, detection },
    record: async () => undefined,
  });
  return {
    failed: new Promise(() => undefined),
    async start() {
      await listen(server, config.api);
    },
    async stop() {
      await server.close();
      await detection.close();
    },
  };
}
