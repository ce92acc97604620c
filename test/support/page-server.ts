import { entryOf } from "../../src/api/index-entry.ts";
import { createMemoryIndex } from "../../src/api/memory-index.ts";
import { createMemoryJobs } from "../../src/api/memory-jobs.ts";
import { createApiServer, listen } from "../../src/api/server.ts";
import { loadConfigOfApi, sizeOf } from "../../src/config/load.ts";
import { createDetection } from "../../src/pipeline/api-detection.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { apiAt } from "./api.ts";

const { config } = loadConfigOfApi(undefined, {});

/**
 * The embedded API in this process, with anomalies that no model had to find; more can be put in meanwhile.
 * What is said is saved when `saving` is over.
 */
export async function startPageServer(
  anomalies: readonly Anomaly[],
  {
    tokens = config.api.tokens,
    requestsPerMinute = config.api.limits.requestsPerMinute,
    saving = Promise.resolve(),
    bundles = new Map<string, { name: string; version: string }>(),
  } = {},
) {
  const metrics = createMetrics();
  const index = createMemoryIndex({ retentionMs: 1e12, maxBytes: 2 ** 30 });
  const incarnation = await index.incarnation();
  const put = (some: readonly Anomaly[], publishedAt?: number) =>
    index.put(
      some.map((one) => entryOf(one, publishedAt ?? Date.parse(one.event.end))),
      incarnation,
    );
  await put(anomalies);
  const detection = createDetection(config, { metrics });
  const deps = {
    config: { ...config.api, tokens, port: 0, limits: { ...config.api.limits, requestsPerMinute } },
    ...{ logger: silentLogger, metrics, health: createHealth(), detection, index },
    bundles: { readAt: Date.now(), of: bundles },
    jobs: createMemoryJobs({ maxBytes: sizeOf(config.api.jobs.maxBytes) }),
    async say({ lines: _, ...stated }: Parameters<Parameters<typeof createApiServer>[0]["say"]>[0]) {
      await saving;
      await index.say([stated]);
    },
    record: async () => {},
  };
  const server = await createApiServer(deps);
  const port = await listen(server, deps.config);
  return {
    ...apiAt(port),
    put,
    index,
    async stop() {
      await server.close();
      await detection.close();
    },
  };
}
