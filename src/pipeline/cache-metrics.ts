import type { Judge } from "../classify/judge.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** What the model's caches hold and save, whenever the metrics are read and there is a model. */
export function showCaches(
  metrics: Metrics,
  pipeline: string,
  judge: () => Pick<Judge, "stats"> | undefined,
): void {
  metrics.onCollect(() => {
    for (const [cache, { hits, misses, evictions, bytes }] of Object.entries(judge()?.stats() ?? {})) {
      metrics.cacheEvictions.set({ pipeline, cache }, evictions);
      metrics.cacheBytes.set({ pipeline, cache }, bytes);
      metrics.cache.set({ pipeline, cache, result: "hit" }, hits);
      metrics.cache.set({ pipeline, cache, result: "miss" }, misses);
    }
  });
}
