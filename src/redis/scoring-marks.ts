import type { ScoringMarks } from "../classify/scoring-marks.ts";
import type { RedisClient } from "./client.ts";

/** Of windows that nobody scored after all, such as those of a pipeline that was removed. */
const forgottenAfterMs = 7 * 24 * 3_600_000;

/** @param name of the pipeline, unique in that Redis. */
export function createRedisScoringMarks(redis: RedisClient, name: string): ScoringMarks {
  const key = `lg:v1:{${name}:scoring}`;
  return {
    async left() {
      const marks = await redis.hash(key, 1000);
      return new Map([...marks].map(([id, tries]) => [id, Number(tries)]));
    },
    async begin(tries) {
      await redis.script("scoring-begin", [key], [forgottenAfterMs, ...[...tries].flat()]);
    },
    async end(ids) {
      await redis.script("scoring-end", [key], ids);
    },
  };
}
