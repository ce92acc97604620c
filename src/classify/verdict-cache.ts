import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { CacheStats } from "../embed/line-cache.ts";
import type { Logits } from "./scorer.ts";

/** What was computed for a window: the same for every window of the same masked lines in the same order. */
export interface KnownWindow {
  logits: Logits;
  weights?: number[];
}

export interface VerdictCache {
  get(key: string): KnownWindow | undefined;
  set(key: string, known: KnownWindow): void;
  stats(): CacheStats;
}

/** The key of a window: bundle and ordered masked lines. A line holds no newline, so none can pretend to be two. */
export function windowKey(bundleId: string, masked: readonly string[]): string {
  return createHash("sha256").update(bundleId).update("\n").update(masked.join("\n")).digest("base64");
}

/** Verdicts by window, bounded by bytes; 0 bytes switches it off. */
export function createVerdictCache(maxBytes: number): VerdictCache {
  let hits = 0;
  let misses = 0;
  let evictions = 0;
  const cache =
    maxBytes > 0
      ? new LRUCache<string, KnownWindow>({
          maxSize: maxBytes,
          sizeCalculation: ({ weights }, key) => 2 * key.length + 8 * (weights?.length ?? 0) + 200,
          dispose: (_known, _key, reason) => {
            if (reason === "evict") evictions++;
          },
        })
      : undefined;
  return {
    get(key) {
      const found = cache?.get(key);
      if (found === undefined) misses++;
      else hits++;
      return found;
    },
    set: (key, known) => void cache?.set(key, known),
    stats: () => ({ hits, misses, evictions, entries: cache?.size ?? 0, bytes: cache?.calculatedSize ?? 0 }),
  };
}
