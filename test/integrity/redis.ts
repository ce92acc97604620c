import { Redis } from "ioredis";
import type { Fault } from "./fault.ts";

/** What was written between the save and the kill is lost, as in a failover. */
const recuts = (pipeline: string) => pipeline === "sliding";

/** Redis dies and comes back, with its data. */
export const redisRestarted: Fault = {
  promise: "Redis may restart",
  recuts,
  async inflict(trial, { quick, services }) {
    const [times, downMs] = quick ? [3, 3_000] : [15, 10_000];
    for (let time = 0; time < times; time++) {
      await trial.pause(2_000, 4_000);
      await services.redis.restart({ downMs });
    }
    await trial.pause(2_000, 3_000);
    return { faults: `${times} restarts with the last snapshot, away for ${downMs / 1000} s` };
  },
};

/** Redis loses all that it held, while it runs and with a restart. */
export const redisEmptied: Fault = {
  promise: "Redis is rebuildable",
  recuts,
  async inflict(trial, { quick, services }) {
    const times = quick ? 3 : 30;
    const redis = new Redis(services.redis.url, { lazyConnect: true });
    redis.on("error", () => undefined);
    for (let time = 0; time < times; time++) {
      await trial.pause(2_000, 4_000);
      if (trial.random.chance(0.5)) await redis.flushall();
      else await services.redis.restart({ keepsData: false });
    }
    redis.disconnect();
    await trial.pause(2_000, 3_000);
    return { faults: `${times} times emptied, by FLUSHALL or a restart without data` };
  },
};
