import type { EarlyMarks, EarlyState } from "../verdict/early-marks.ts";
import type { RedisClient } from "./client.ts";

/** Of windows that never closed, such as those of a pipeline that was removed. */
const forgottenAfterMs = 30 * 24 * 3_600_000;

/** @param name of the pipeline, unique in that Redis. */
export function createRedisEarlyMarks(redis: RedisClient, name: string): EarlyMarks {
  const key = `lg:v1:{${name}:early}`;
  return {
    async set(state, ids) {
      if (ids.length > 0)
        await redis.script("early-set", [key], [forgottenAfterMs, Date.now(), state, ...ids]);
    },
    async states(ids) {
      if (ids.length === 0) return new Map();
      const states = (await redis.script("early-states", [key], [...ids])) as (EarlyState | "")[];
      return new Map(
        ids.flatMap((id, place): [string, EarlyState][] => {
          const state = states[place];
          return state === undefined || state === "" ? [] : [[id, state]];
        }),
      );
    },
  };
}
