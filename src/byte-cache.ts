import { LRUCache } from "lru-cache";

export interface CacheStats {
  hits: number;
  misses: number;
  evictions: number;
  entries: number;
  bytes: number;
}

/** A cache that forgets what was used longest ago once it holds more bytes than it may. */
export interface ByteCache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  stats(): CacheStats;
}

/** What an entry costs beside its key and value: the map's own bookkeeping, roughly. */
const entryBytes = 200;

/** `maxBytes` 0 switches the cache off; `bytesOf` tells a value's size. */
export function createByteCache<Value extends object>(
  maxBytes: number,
  bytesOf: (value: Value) => number,
): ByteCache<Value> {
  let hits = 0;
  let misses = 0;
  let evictions = 0;
  const cache =
    maxBytes > 0
      ? new LRUCache<string, Value>({
          maxSize: maxBytes,
          sizeCalculation: (value, key) => bytesOf(value) + 2 * key.length + entryBytes,
          dispose: (_value, _key, reason) => {
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
    set: (key, value) => void cache?.set(key, value),
    stats: () => ({ hits, misses, evictions, entries: cache?.size ?? 0, bytes: cache?.calculatedSize ?? 0 }),
  };
}
