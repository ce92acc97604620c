import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AnomalyIndex, IndexLimits, StatedFeedback } from "../../src/api/anomaly-index.ts";
import { entryOf, placeName } from "../../src/api/index-entry.ts";
import { createMemoryIndex } from "../../src/api/memory-index.ts";
import { createRedisIndex } from "../../src/redis/anomaly-index.ts";
import { connectRedis, type RedisClient } from "../../src/redis/client.ts";
import { createRedisSuppressions } from "../../src/redis/suppressions.ts";
import { createRandom } from "../../src/simulate/random.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { anomalyAt, firstDay, idOf } from "../support/anomalies.ts";
import { services } from "../support/services.ts";

let redis: RedisClient;
beforeAll(async () => {
  redis = await connectRedis({ url: services.redis.url }, { logger: silentLogger, health: createHealth() });
});
afterAll(() => redis.close());

const roomy = { retentionMs: 3_600_000, maxBytes: 2 ** 30 };
const indexes: [string, (limits?: IndexLimits) => AnomalyIndex][] = [
  ["memory", (limits = roomy) => createMemoryIndex(limits)],
  ["Redis", (limits = roomy) => createRedisIndex(redis, `test-${randomUUID()}`, limits)],
];

const now = firstDay + 86_400_000;
const put = async (index: AnomalyIndex, anomalies: readonly Anomaly[], at = now) =>
  index.put(
    anomalies.map((anomaly) => entryOf(anomaly, at)),
    await index.incarnation(),
  );
const idsOf = async (index: AnomalyIndex, name = "t", limit = 100) =>
  (await index.page({ name }, limit)).map(({ summary }) => Number.parseInt(summary.id, 16));

const falseAlarm = (id: string, at = now, judgement: StatedFeedback["judgement"] = "false-alarm") => ({
  ...{ id, pipeline: "hdfs", fingerprint: "00000000000000aa", judgement, at, by: "me" },
  model: { name: "starter", version: "1.1.0" },
});

describe.each(indexes)("the index of anomalies in %s", (_, create) => {
  it("lists by time, pipeline, fingerprint and origin, newest first, page by page", async () => {
    const index = create();
    await put(index, [
      anomalyAt(3),
      anomalyAt(1),
      anomalyAt(2, { pipeline: "hdfs.replay.x", fingerprint: "bb" }, { host: "a:b c" }),
    ]);
    expect(await idsOf(index)).toEqual([3, 2, 1]);
    expect(await idsOf(index, placeName.pipeline("hdfs"))).toEqual([3, 1]);
    expect(await idsOf(index, placeName.fingerprint("bb"))).toEqual([2]);
    expect(await idsOf(index, placeName.origin("a:b c"))).toEqual([2]);
    const [first] = await index.page({ name: "t" }, 1);
    const rest = await index.page({ name: "t", after: String(first?.place) }, 100);
    expect(rest.map(({ summary }) => summary.id)).toEqual([idOf(2), idOf(1)]);
    const [from, to] = [firstDay + 2 * 60_000, firstDay + 3 * 60_000];
    expect((await index.page({ name: "t", from, to }, 9)).map(({ summary }) => summary.id)).toEqual([
      idOf(2),
      idOf(1),
    ]);
  });

  it("gives the whole verdict, whatever is in it", async () => {
    const index = create();
    const anomaly = anomalyAt(1, { key: "ü\u0000\n💥" });
    await put(index, [anomaly]);
    const found = await index.get(idOf(1));
    expect(found?.document).toEqual(anomaly);
    expect(found?.summary).toMatchObject({ origin: "node-1", key: "ü\u0000\n💥", lines: 2 });
    expect(found?.summary.heaviest.map(({ masked }) => masked)).toEqual(["exception <*> of disk"]);
    expect(await index.get(idOf(9))).toBeUndefined();
  });

  it("holds the newest revision of a verdict, a final one above all early ones, whatever comes when", async () => {
    const index = create();
    const raised = anomalyAt(1, { early: "raised", revision: 8, fingerprint: "early" });
    const final = anomalyAt(1, { early: "confirmed", revision: 3 }, { host: "node-2" });
    await put(index, [raised, raised]);
    await put(index, [final]);
    await put(index, [raised]);
    await put(index, [anomalyAt(1, { early: "confirmed", revision: 3, score: 0 })], now - 1);
    expect((await index.get(idOf(1)))?.summary).toMatchObject({ stage: "confirmed", score: 0.9 });
    expect(await idsOf(index, placeName.fingerprint("early"))).toEqual([]);
    expect(await idsOf(index, placeName.origin("node-2"))).toEqual([1]);
    expect((await index.size()).anomalies).toBe(1);
  });

  it("takes in that a window is normal only where it was held", async () => {
    const index = create();
    await put(index, [anomalyAt(1, { early: "raised" }), anomalyAt(1, { verdict: "normal" })]);
    await put(index, [anomalyAt(2, { verdict: "normal" })]);
    expect((await index.get(idOf(1)))?.summary.verdict).toBe("normal");
    expect(await idsOf(index)).toEqual([1]);
  });

  it("takes in what was judged anew, and no older judgement that is read again", async () => {
    const index = create();
    const judged = (version: string) => anomalyAt(1, { model: { name: "starter", version } });
    await put(index, [judged("1.0.0")]);
    await put(index, [judged("2.0.0")], now + 1);
    const version = async () => (await index.get(idOf(1)))?.summary.model.version;
    expect(await version()).toBe("2.0.0");
    const { now: point } = await index.changes(undefined, 10);
    await put(index, [judged("1.0.0")]);
    await put(index, [judged("2.0.0")], now + 2);
    expect(await version()).toBe("2.0.0");
    expect((await index.changes(point, 10)).changed).toEqual([]);
    expect(await idsOf(index)).toEqual([1]);
  });

  it("tells what changed behind a point, each anomaly once, and nothing of another incarnation", async () => {
    const index = create();
    await put(index, [anomalyAt(1), anomalyAt(2)]);
    const { now: point } = await index.changes(undefined, 10);
    await put(index, [anomalyAt(3), anomalyAt(2)]);
    await index.say([falseAlarm(idOf(1))]);
    await index.say([falseAlarm(idOf(1), now + 1)]);
    const { changed, now: after } = await index.changes(point, 10);
    expect(changed.map(({ summary }) => summary.id)).toEqual([idOf(3), idOf(1)]);
    expect(changed.at(-1)?.number).toBe(after.number);
    expect((await index.changes(point, 1)).changed).toHaveLength(1);
    expect((await index.changes(after, 10)).changed).toEqual([]);
    expect((await index.changes({ ...point, incarnation: "another" }, 10)).changed).toEqual([]);
  });

  it("holds the newest that was said of a verdict, also of one that is not there", async () => {
    const index = create();
    await put(index, [anomalyAt(1)]);
    await index.say([falseAlarm(idOf(1), now, "confirmed"), falseAlarm(idOf(7))]);
    await index.say([falseAlarm(idOf(1), now - 1)]);
    expect((await index.get(idOf(1)))?.feedback?.judgement).toBe("confirmed");
    expect(await index.said(idOf(1))).toEqual(falseAlarm(idOf(1), now, "confirmed"));
    expect(await index.said(idOf(7))).toEqual(falseAlarm(idOf(7)));
    expect(await index.said(idOf(8))).toBeUndefined();
    expect((await index.page({ name: "t" }, 1))[0]?.feedback).toEqual(falseAlarm(idOf(1), now, "confirmed"));
  });

  it("knows which fingerprints are false alarms by what was said last of any of their verdicts, as the alerter does", async () => {
    const index = create();
    const name = `test-${randomUUID()}`;
    const alerter = createRedisSuppressions(redis, name);
    let offset = await alerter.begin(0, { start: 0, end: 0 });
    const { pick } = createRandom(1);
    const seen = new Set<string>();
    for (let round = 0; round < 300; round++) {
      // Clocks differ: what is said later may have an earlier time, or the same.
      const said = {
        ...falseAlarm(
          idOf(pick([1, 2, 3, 4])),
          now + round + pick([-9, -1, 0, 1]),
          pick(["false-alarm", "confirmed", "undone"] as const),
        ),
        fingerprint: pick(["aa", "bb", "c:c of <*>", "none"]),
      };
      await index.say([said]);
      await alerter.apply(
        { partition: 0, from: offset, to: ++offset, feedback: [{ ...said, lines: [] }] },
        now,
      );
      const quiet = (await alerter.list()).map(({ fingerprint, id, at }) => ({ fingerprint, id, at }));
      const found = (await index.falseAlarms()).map(({ fingerprint, id, at }) => ({ fingerprint, id, at }));
      const sorted = (all: typeof found) => all.sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
      expect(sorted(found)).toEqual(sorted(quiet));
      for (const one of found) {
        expect(await index.falseAlarm({ ...one, pipeline: "hdfs" })).toMatchObject(one);
        seen.add(one.fingerprint);
      }
      expect(await index.falseAlarm({ ...said, pipeline: "other" })).toBeUndefined();
    }
    expect(seen.size).toBe(4);
  });

  it("forgets by age and by bytes, the oldest first, and is empty in the end", async () => {
    const index = create();
    await put(index, [anomalyAt(1)], now - roomy.retentionMs - 1);
    await put(index, [anomalyAt(2)]);
    await index.trim(now);
    expect(await idsOf(index)).toEqual([2]);
    await index.trim(now + 2 * roomy.retentionMs);
    expect(await index.size()).toEqual({ anomalies: 0, bytes: 0 });
    expect(
      (await index.changes({ ...(await index.changes(undefined, 1)).now, number: 0 }, 9)).changed,
    ).toEqual([]);

    const small = create({ ...roomy, maxBytes: 20_000 });
    const many = Array.from({ length: 250 }, (_, minute) => anomalyAt(minute));
    for (const [place, anomaly] of many.entries()) await put(small, [anomaly], now + place);
    await small.trim(now);
    const { anomalies, bytes } = await small.size();
    expect(bytes).toBeLessThanOrEqual(20_000);
    expect(anomalies).toBeGreaterThan(3);
    expect(await idsOf(small)).toEqual(
      Array.from({ length: anomalies }, (_, place) => many.length - 1 - place),
    );
  });

  it("takes nothing in for another incarnation", async () => {
    const index = create();
    await put(index, [anomalyAt(1)]);
    await expect(index.put([entryOf(anomalyAt(2), now)], "another")).rejects.toMatchObject({
      code: "LG_INDEX_LOST",
    });
    await expect(index.say([falseAlarm(idOf(1))], "another")).rejects.toMatchObject({
      code: "LG_INDEX_LOST",
    });
    expect(await idsOf(index)).toEqual([1]);
    expect(await index.incarnation()).toBe(await index.incarnation());
  });
});

it("in Redis knows how far its topics were taken in, and takes no step that does not follow", async () => {
  const index = createRedisIndex(redis, `test-${randomUUID()}`, roomy);
  const incarnation = await index.incarnation();
  expect(await index.readTo("topic:3")).toBeUndefined();
  await index.advance("topic:3", { from: undefined, to: 5 }, incarnation);
  await index.advance("topic:3", { from: 5, to: 8 }, incarnation);
  await index.advance("topic:3", { from: 8, to: 8 }, incarnation);
  expect([await index.readTo("topic:3"), await index.readTo("topic:4")]).toEqual([8, undefined]);
  const isLost = { code: "LG_INDEX_LOST" };
  for (const from of [undefined, 5, 9])
    await expect(index.advance("topic:3", { from, to: 10 }, incarnation)).rejects.toMatchObject(isLost);
  await expect(index.advance("topic:3", { from: 8, to: 9 }, "another")).rejects.toMatchObject(isLost);
  expect(await index.readTo("topic:3")).toBe(8);
});

it("in Redis is another one when a part of it is gone", async () => {
  const name = `test-${randomUUID()}`;
  const index = createRedisIndex(redis, name, roomy);
  await put(index, [anomalyAt(1)]);
  await index.say([falseAlarm(idOf(1))]);
  const whole = await index.incarnation();
  expect(await index.incarnation()).toBe(whole);
  // As an eviction would.
  const key = `lg:v1:{${name}:index}:documents`;
  await redis.script("scoring-end", [key], [idOf(1)]);
  expect(await index.incarnation()).not.toBe(whole);
  expect(await index.size()).toEqual({ anomalies: 0, bytes: 0 });
  expect([await index.said(idOf(1)), await index.falseAlarms()]).toEqual([undefined, []]);
});

it.each(["feedback", "sayings", "false-alarms"])(
  "in Redis is another one when its %s are gone",
  async (part) => {
    const name = `test-${randomUUID()}`;
    const index = createRedisIndex(redis, name, roomy);
    const empty = await index.incarnation();
    await index.say([falseAlarm(idOf(1))]);
    expect(await index.incarnation()).toBe(empty);
    const server = new Redis(services.redis.url);
    await server.del(`lg:v1:{${name}:index}:${part}`);
    await server.quit();
    expect(await index.incarnation()).not.toBe(empty);
  },
);
