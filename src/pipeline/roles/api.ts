import { createApiServer, listen } from "../../api/server.ts";
import { sizeOf } from "../../config/load.ts";
import { createRedisIndex } from "../../redis/anomaly-index.ts";
import { createRedisJobs } from "../../redis/job-store.ts";
import { createDetection } from "../api-detection.ts";
import { configuredBundles } from "../configured-bundles.ts";
import { createFeedbackSink } from "../feedback-sink.ts";
import { createIndexUpkeep, indexLimitsOf } from "../index-upkeep.ts";
import { createIndexer } from "../indexer.ts";
import type { Role, Services } from "../services.ts";

/** The API of all pipelines, and the index that it fills for them. */
export async function createApiRole(services: Services): Promise<Role> {
  const { config, logger, metrics, health } = services;
  const detection = createDetection(config, services);
  const redis = await services.redis();
  const { prefix } = config.topics;
  const index = createRedisIndex(redis, prefix, indexLimitsOf(config));
  const jobs = createRedisJobs(redis, prefix, { maxBytes: sizeOf(config.api.jobs.maxBytes) });
  const send = await createFeedbackSink(services);
  const indexer = await createIndexer(services, index);
  const upkeep = createIndexUpkeep(index, services);
  const server = await createApiServer({
    ...{ config: config.api, logger, metrics, health, detection, index, jobs },
    bundles: await configuredBundles(config),
    async say(feedback) {
      await send(feedback);
      // Whoever said it sees it at once; the indexer finds it held.
      const { lines: _, ...stated } = feedback;
      await index.say([stated]);
    },
    // Verdicts of pipelines come from their topic; what callers ask about is theirs alone.
    record: async () => undefined,
  });
  return {
    failed: indexer.failed,
    async start() {
      await indexer.start();
      upkeep.start();
      const port = await listen(server, config.api);
      logger.info("The API listens.", { host: config.api.host, port });
    },
    async stop() {
      await server.close();
      await upkeep.stop();
      await indexer.stop();
      await detection.close();
    },
  };
}
