import { createApiServer, listen } from "../api/server.ts";
import { durationOf } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { createHealth } from "../telemetry/health.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createPinoLogger } from "../telemetry/pino-logger.ts";
import { createDetection } from "./api-detection.ts";

/**
 * The API by itself, until SIGTERM or SIGINT: no Kafka, no Redis, everything in memory.
 * @throws LogGuardianError LG_API_*, LG_HTTP_PORT, LG_BUNDLE_*, LG_NATIVE_*.
 */
export async function runEmbeddedApi(config: Config): Promise<void> {
  const logger = createPinoLogger(config.log.level);
  const metrics = createMetrics();
  const health = createHealth({
    onWait: (wait, waiting) => metrics.waiting.set({ wait }, waiting ? 1 : 0),
    stuckAfterMs: durationOf(config.limits.stuckAfter),
  });
  const stopping = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
  });
  const detection = createDetection(config, { metrics });
  try {
    const server = await createApiServer({
      config: config.api,
      logger,
      metrics,
      health,
      detection,
      record: async () => {},
    });
    try {
      await detection.open();
      const port = await listen(server, config.api);
      logger.info("LogGuardian runs.", { roles: ["api"], port });
      logger.info("LogGuardian stops.", { signal: await stopping });
    } finally {
      await server.close();
    }
  } finally {
    await detection.close();
  }
}
