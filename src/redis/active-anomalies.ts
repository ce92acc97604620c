import type { ActiveAnomaly, AlertContent } from "../alert/alert.ts";
import type { ActiveAnomalies } from "../alert/store.ts";
import type { RedisClient } from "./client.ts";

/** Repeats come after a crash, or after windows were rebuilt: hours later at most, not days. */
const knownForMs = 24 * 3_600_000;
/** Per fingerprint: about 1 MB. */
const knownIds = 10_000;
const forgottenAtATime = 1000;

/** Active anomalies of one pipeline in Redis. @param name of the pipeline, unique in that Redis. */
export function createRedisActiveAnomalies(redis: RedisClient, name: string): ActiveAnomalies {
  const base = `lg:v1:{${name}:alerts}`;
  const active = `${base}:active`;
  const raised = `${base}:raised`;
  const keysOf = (fingerprint: string) => [active, `${base}:ids:${fingerprint}`, raised];
  return {
    async seen({ fingerprint, id, now, holdMs, content, stage = "" }) {
      const knownFor = Math.max(knownForMs, 2 * holdMs);
      const known = await redis.script("alert-seen", keysOf(fingerprint), [
        ...[fingerprint, id, now, holdMs, JSON.stringify(content), knownFor, knownIds, stage],
      ]);
      return typeof known === "string" ? anomalyOf(fingerprint, known) : undefined;
    },
    async raisedAs(id) {
      const fingerprint = await redis.script("alert-raised", [raised], [id]);
      return typeof fingerprint === "string" && fingerprint !== "-" ? fingerprint : undefined;
    },
    async withdraw({ fingerprint, id, now }) {
      const left = await redis.script("alert-withdraw", keysOf(fingerprint), [fingerprint, id, now]);
      return typeof left === "string" ? anomalyOf(fingerprint, left) : undefined;
    },
    async all() {
      const anomalies = await redis.hash(active, 100);
      return [...anomalies].map(([fingerprint, bytes]) => anomalyOf(fingerprint, bytes.toString()));
    },
    async forget(ended) {
      for (let from = 0; from < ended.length; from += forgottenAtATime)
        await redis.script(
          "alert-forget",
          [active],
          ended
            .slice(from, from + forgottenAtATime)
            .flatMap(({ fingerprint, endsAt }) => [fingerprint, endsAt]),
        );
    },
  };
}

/** As `alert-seen.lua` writes it. */
function anomalyOf(fingerprint: string, written: string): ActiveAnomaly {
  const [firstSeen, lastSeen, endsAt, times] = written.split(" ", 4).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const newest = JSON.parse(written.slice(written.indexOf("{"))) as AlertContent;
  return { fingerprint, firstSeen, lastSeen, endsAt, times, newest };
}
