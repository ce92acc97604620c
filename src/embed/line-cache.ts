import { LRUCache } from "lru-cache";

export interface CacheStats {
  hits: number;
  misses: number;
  evictions: number;
  entries: number;
  bytes: number;
}

export interface LineCache {
  get(line: string): Float32Array | undefined;
  set(line: string, embedding: Float32Array): void;
  stats(): CacheStats;
}

/** Embeddings by masked line, bounded by bytes; 0 bytes switches it off. */
export function createLineCache(maxBytes: number): LineCache {
  let hits = 0;
  let misses = 0;
  let evictions = 0;
  const cache =
    maxBytes > 0
      ? new LRUCache<string, Float32Array>({
          maxSize: maxBytes,
          sizeCalculation: (embedding, line) => embedding.byteLength + 2 * line.length + 200,
          dispose: (_embedding, _line, reason) => {
            if (reason === "evict") evictions++;
          },
        })
      : undefined;
  return {
    get(line) {
      const found = cache?.get(line);
      if (found === undefined) misses++;
      else hits++;
      return found;
    },
    set: (line, embedding) => void cache?.set(line, embedding),
    stats: () => ({ hits, misses, evictions, entries: cache?.size ?? 0, bytes: cache?.calculatedSize ?? 0 }),
  };
}
