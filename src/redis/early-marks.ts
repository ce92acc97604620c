import type { EarlyMarks } from "../verdict/early-marks.ts";
import type { RedisClient } from "./client.ts";

/** Of windows that never closed, such as those of a pipeline that was removed. */
const forgottenAfterMs = 30 * 24 * 3_600_000;

/** @param name of the pipeline, unique in that Redis. */
export function createRedisEarlyMarks(redis: RedisClient, name: string): EarlyMarks {
  const key = `lg:v1:{${name}:early}`;
  return {
    async add(ids) {
      if (ids.length > 0) await redis.script("early-add", [key], [forgottenAfterMs, Date.now(), ...ids]);
    },
    async among(ids) {
      if (ids.length === 0) return new Set();
      const marked = (await redis.script("early-among", [key], [...ids])) as string[];
      return new Set(marked);
    },
    async remove(ids) {
      if (ids.length > 0) await redis.script("early-remove", [key], [...ids]);
    },
  };
}
