import { Redis } from "ioredis";
import { type Setting, withTrial } from "./setting.ts";
import type { Outcome } from "./trial.ts";

/** Redis dies and comes back, with its data. */
export async function redisRestarted(setting: Setting): Promise<Outcome> {
  const [times, downMs] = setting.quick ? [3, 3_000] : [15, 10_000];
  return withTrial("redis-restarted", setting, async (trial) => {
    await trial.begin();
    trial.produce(setting.perSecond);
    for (let time = 0; time < times; time++) {
      await trial.pause(2_000, 4_000);
      await setting.services.redis.restart({ downMs });
    }
    await trial.pause(2_000, 3_000);
    await trial.endInput();
    // What was written between the save and the kill is lost, as in a failover: sliding windows may be cut anew.
    return trial.compare(
      "Redis may restart",
      `${times} restarts with the last snapshot, away for ${downMs / 1000} s`,
      {
        byLines: (pipeline) => pipeline === "sliding",
      },
    );
  });
}

/** Redis loses all that it held, while it runs and with a restart. */
export async function redisEmptied(setting: Setting): Promise<Outcome> {
  const times = setting.quick ? 3 : 30;
  return withTrial("redis-emptied", setting, async (trial) => {
    await trial.begin();
    const redis = new Redis(setting.services.redis.url, { lazyConnect: true });
    redis.on("error", () => undefined);
    trial.produce(setting.perSecond);
    for (let time = 0; time < times; time++) {
      await trial.pause(2_000, 4_000);
      if (trial.random.chance(0.5)) await redis.flushall();
      else await setting.services.redis.restart({ keepsData: false });
    }
    redis.disconnect();
    await trial.pause(2_000, 3_000);
    await trial.endInput();
    return trial.compare(
      "Redis is rebuildable",
      `${times} times emptied, by FLUSHALL or a restart without data`,
      {
        byLines: (pipeline) => pipeline === "sliding",
      },
    );
  });
}
