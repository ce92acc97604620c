import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { until } from "../support/until.ts";
import type { Fault } from "./fault.ts";
import type { Trial } from "./trial.ts";

/** What was done before the wait. */
const committedWithinMs = 3_000;

/** Redis is stopped, and does not even refuse. */
export const redisAway: Fault = {
  promise: "Redis may be away",
  async inflict(trial, { quick, services }) {
    const seconds = quick ? 10 : 60;
    const redis = new Redis(services.redis.url);
    const [, pid] = /process_id:(\d+)/.exec(await redis.info("server")) ?? [];
    process.kill(Number(pid), "SIGSTOP");
    try {
      const { most, broken } = await held(trial, "redis-away", seconds);
      return { faults: `Redis stopped for ${seconds} s; at most ${most} bytes in flight`, broken };
    } finally {
      process.kill(Number(pid), "SIGCONT");
      redis.disconnect();
    }
  },
};

/** Redis takes nothing more. */
export const redisFull: Fault = {
  promise: "Redis may be full",
  async inflict(trial, { quick, services }) {
    const seconds = quick ? 10 : 60;
    const redis = new Redis(services.redis.url);
    await redis.config("SET", "maxmemory-policy", "noeviction");
    await redis.config("SET", "maxmemory", "1");
    try {
      const { most, broken } = await held(trial, "redis-full", seconds);
      return { faults: `Redis at its limit for ${seconds} s; at most ${most} bytes in flight`, broken };
    } finally {
      await redis.config("SET", "maxmemory", "0");
      redis.disconnect();
    }
  },
};

/** Watches the windowers for so long after they have named their wait. */
async function held(
  trial: Trial,
  wait: string,
  seconds: number,
): Promise<{ most: number; broken: string[] }> {
  const { storm } = trial;
  const windowers = storm.running("windower");
  for (const windower of windowers)
    await until(
      async () => (await storm.health(windower))?.waits.includes(wait) ?? false,
      `a windower names the wait ${wait}`,
    );
  const broken: string[] = [];
  // What was done before the fault is still committed; then nothing more.
  let before = "";
  await until(async () => {
    const earlier = await committed(trial);
    await sleep(committedWithinMs);
    before = await committed(trial);
    return before === earlier;
  }, "the windowers commit no more");
  await sleep(1_000 * seconds);
  if ((await committed(trial)) !== before)
    broken.push("something was committed on the lines topic meanwhile");
  for (const windower of windowers)
    if ((await storm.health(windower))?.live !== true) broken.push("a windower that waits is red");
  const held = await trial.inFlight(windowers);
  return { most: held.most, broken: [...broken, ...held.broken] };
}

/** What the windowers have committed, as text. */
async function committed(trial: Trial): Promise<string> {
  const admin = trial.storm.kafka.admin();
  await admin.connect();
  const groups = trial.hops().filter(({ group }) => group.endsWith(".windower"));
  const offsets = [];
  for (const { group, topic } of groups)
    offsets.push(await admin.fetchOffsets({ groupId: group, topics: [topic] }));
  await admin.disconnect();
  return JSON.stringify(offsets);
}
