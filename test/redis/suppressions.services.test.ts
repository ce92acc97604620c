import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectRedis, type RedisClient } from "../../src/redis/client.ts";
import { createRedisSuppressions } from "../../src/redis/suppressions.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import type { Feedback, FeedbackJudgement } from "../../src/verdict/feedback.ts";
import { services } from "../support/services.ts";

let redis: RedisClient;
beforeAll(async () => {
  redis = await connectRedis({ url: services.redis.url }, { logger: silentLogger, health: createHealth() });
});
afterAll(() => redis.close());

type Said = [id: string, fingerprint: string, judgement: FeedbackJudgement, at?: number];

/** An alerter that reads a partition of the feedback topic. */
async function heard() {
  const suppressions = createRedisSuppressions(redis, `test-${randomUUID()}`);
  let [offset, clock] = [await suppressions.begin(0, { start: 0, end: 0 }), 1000];
  return {
    async say(...all: Said[]) {
      const feedback = all.map(([id, fingerprint, judgement, at = clock++]): Feedback => {
        const model = { name: "m", version: "1" };
        return { id, pipeline: "p", fingerprint, judgement, at, by: "me", model, lines: [] };
      });
      const to = offset + all.length;
      expect(await suppressions.apply({ partition: 0, from: offset, to, feedback }, clock)).toBe(true);
      offset = to;
    },
    quiet: async () => (await suppressions.list()).map(({ fingerprint }) => fingerprint).sort(),
  };
}

it("what is said of a verdict that has another fingerprint by now takes back what was said of the former", async () => {
  const alerter = await heard();
  await alerter.say(
    ["1", "early", "false-alarm"],
    ["2", "early", "confirmed"],
    ["3", "early", "false-alarm"],
  );
  await alerter.say(["4", "another early", "false-alarm"]);
  // As of a window that closed as a normal one: there is no fingerprint.
  await alerter.say(["4", "none", "undone"]);
  expect(await alerter.quiet()).toEqual(["early"]);
  // What others said of it holds.
  await alerter.say(["3", "final", "false-alarm"]);
  expect(await alerter.quiet()).toEqual(["final"]);
  await alerter.say(["2", "none", "undone"]);
  expect(await alerter.quiet()).toEqual(["early", "final"]);
  await alerter.say(["3", "early", "confirmed"]);
  expect(await alerter.quiet()).toEqual([]);
});

it("of one verdict the later holds, whichever is heard first, also where it takes back", async () => {
  const alerter = await heard();
  await alerter.say(["1", "a", "false-alarm", 20], ["1", "a", "undone", 10]);
  expect(await alerter.quiet()).toEqual(["a"]);
  await alerter.say(["1", "a", "undone", 30], ["1", "a", "false-alarm", 25]);
  expect(await alerter.quiet()).toEqual([]);
});
