import { entryOf, isOfInterest } from "../api/index-entry.ts";
import { createMemoryIndex } from "../api/memory-index.ts";
import { createMemoryJobs } from "../api/memory-jobs.ts";
import { createApiServer, listen } from "../api/server.ts";
import { durationOf, sizeOf } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { createHealth } from "../telemetry/health.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createPinoLogger } from "../telemetry/pino-logger.ts";
import { anomalyOf } from "../verdict/anomaly.ts";
import { createDetection } from "./api-detection.ts";
import { configuredBundles } from "./configured-bundles.ts";
import { createIndexUpkeep, indexLimitsOf } from "./index-upkeep.ts";

/**
 * The API by itself, until SIGTERM or SIGINT: no Kafka, no Redis, everything in memory. What is sent to it and found
 * anomalous is indexed, as there is no stream.
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
  const detection = createDetection(config, { metrics, logger });
  const index = createMemoryIndex(indexLimitsOf(config));
  const upkeep = createIndexUpkeep(index, { metrics, logger });
  const incarnation = await index.incarnation();
  try {
    const server = await createApiServer({
      ...{ config: config.api, logger, metrics, health, detection, index },
      bundles: await configuredBundles(config),
      jobs: createMemoryJobs({ maxBytes: sizeOf(config.api.jobs.maxBytes) }),
      async say({ lines: _, ...stated }) {
        await index.say([stated]);
      },
      async record(verdict) {
        const anomaly = anomalyOf(verdict);
        if (isOfInterest(anomaly)) await index.put([entryOf(anomaly, Date.now())], incarnation);
      },
    });
    try {
      await detection.open();
      const port = await listen(server, config.api);
      upkeep.start();
      logger.info("LogGuardian runs.", { roles: ["api"], port });
      logger.info("LogGuardian stops.", { signal: await stopping });
    } finally {
      await server.close();
      await upkeep.stop();
    }
  } finally {
    await detection.close();
  }
}
