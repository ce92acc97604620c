import type { ActiveAnomaly } from "../alert/alert.ts";
import type { ActiveAnomalies } from "../alert/store.ts";
import type { RedisClient } from "./client.ts";

/** Active anomalies of one pipeline in Redis. */
export function createRedisActiveAnomalies(redis: RedisClient, pipeline: string): ActiveAnomalies {
  const base = `lg:v1:{${pipeline}:alerts}`;
  const active = `${base}:active`;
  return {
    async seen({ fingerprint, id, now, holdMs, content }) {
      const anomaly = await redis.script(
        "alert-seen",
        [active, `${base}:ids:${fingerprint}`],
        [fingerprint, id, now, holdMs, JSON.stringify(content)],
      );
      return JSON.parse(String(anomaly)) as ActiveAnomaly;
    },
    async all() {
      const [anomalies] = (await redis.read((transaction) => transaction.hgetallBuffer(active))) as [
        Record<string, Buffer>,
      ];
      return Object.values(anomalies).map((bytes) => JSON.parse(bytes.toString()) as ActiveAnomaly);
    },
    async forget(fingerprints) {
      if (fingerprints.length > 0) await redis.deleteFields(active, fingerprints);
    },
  };
}
