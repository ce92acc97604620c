import { modelName, type Suppression, type Suppressions } from "../alert/suppression.ts";
import { fingerprintName, placeOfSaid } from "../api/index-entry.ts";
import type { Feedback } from "../verdict/feedback.ts";
import { alertKeys } from "./alert-keys.ts";
import type { RedisClient } from "./client.ts";

/** @param name of the pipeline, unique in that Redis. */
export function createRedisSuppressions(redis: RedisClient, name: string): Suppressions {
  const keys = alertKeys(name);
  const marks = [keys.read, keys.readToEnd];
  return {
    async begin(partition, { start, end }) {
      return Number(await redis.script("feedback-begin", marks, [partition, start, end]));
    },
    async apply({ partition, from, to, feedback }, now) {
      const done = await redis.script(
        "feedback-apply",
        [keys.read, keys.said, keys.sayings, keys.suppressed, keys.keptQuiet, keys.active],
        [partition, from, to, now, JSON.stringify(feedback.map(sayingIn))],
      );
      return done === 1;
    },
    async isAt(partition, at, isEnd) {
      return (await redis.script("feedback-at", marks, [partition, at, isEnd ? 1 : 0])) === 1;
    },
    async isRead(partitions) {
      return (await redis.hash(keys.readToEnd, 100)).size >= partitions;
    },
    async list() {
      const [suppressed, times] = await Promise.all([
        redis.hash(keys.suppressed, 100),
        redis.hash(keys.keptQuiet, 100),
      ]);
      return [...suppressed].map(([fingerprint, written]) => {
        const { judgement: _, ...suppression } = JSON.parse(written.toString()) as Suppression & {
          judgement: string;
        };
        const [count = 0, lastSeen] = times.get(fingerprint)?.toString().split(" ").map(Number) ?? [];
        return { ...suppression, times: count, ...(lastSeen === undefined ? {} : { lastSeen }) };
      });
    },
  };
}

/** As `what-holds.lua` takes it; of the feedback itself not the window's lines. */
function sayingIn(said: Feedback) {
  const { fingerprint, id, judgement, at, by, note, until, model } = said;
  const kept = { fingerprint, id, judgement, at, by, note, until, model: modelName(model) };
  return {
    ...{ id, at, name: fingerprintName(said), place: placeOfSaid(said) ?? "-" },
    rest: JSON.stringify(kept),
  };
}
