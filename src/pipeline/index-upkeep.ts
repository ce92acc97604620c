import type { AnomalyIndex, IndexLimits } from "../api/anomaly-index.ts";
import { durationOf, sizeOf } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { reasonOf } from "../errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

const everyMs = 10_000;

export function indexLimitsOf({ api: { index } }: Config): IndexLimits {
  return { retentionMs: durationOf(index.retention), maxBytes: sizeOf(index.maxBytes) };
}

/** Forgets what is too old or too much, and shows how much there is. */
export function createIndexUpkeep(
  index: AnomalyIndex,
  { metrics, logger }: { metrics: Metrics; logger: Logger },
): { start(): void; stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  async function upkeep(): Promise<void> {
    await index.trim(Date.now());
    const { anomalies, bytes } = await index.size();
    metrics.indexedAnomalies.set(anomalies);
    metrics.indexBytes.set(bytes);
  }

  return {
    start() {
      timer = setInterval(() => {
        running ??= upkeep()
          .catch((thrown) =>
            logger.warn("The index of anomalies could not be trimmed.", { error: reasonOf(thrown) }),
          )
          .finally(() => {
            running = undefined;
          });
      }, everyMs);
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
