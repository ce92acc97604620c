import type { AnomalyIndex, IndexLimits } from "../api/anomaly-index.ts";
import { durationOf, sizeOf } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { reasonOf } from "../errors.ts";
import { repeatedly } from "../repeatedly.ts";
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
  let running: ReturnType<typeof repeatedly> | undefined;

  async function upkeep(): Promise<void> {
    await index.trim(Date.now());
    const { anomalies, bytes } = await index.size();
    metrics.indexedAnomalies.set(anomalies);
    metrics.indexBytes.set(bytes);
  }

  return {
    start() {
      running = repeatedly(upkeep, everyMs, (thrown) =>
        logger.warn("The index of anomalies could not be trimmed.", { error: reasonOf(thrown) }),
      );
    },
    async stop() {
      await running?.stop();
    },
  };
}
