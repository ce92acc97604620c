import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AlertStore, SeenWindow } from "../../src/alert/store.ts";
import { nameOf } from "../../src/alert/telling.ts";
import { createRedisAlerts } from "../../src/redis/alerts.ts";
import { connectRedis, type RedisClient } from "../../src/redis/client.ts";
import { createRedisSuppressions } from "../../src/redis/suppressions.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { services } from "../support/services.ts";

const holdMs = 60_000;
let redis: RedisClient;
let stores = 0;
beforeAll(async () => {
  redis = await connectRedis({ url: services.redis.url }, { logger: silentLogger, health: createHealth() });
});
afterAll(() => redis.close());

const newName = () => `store-${Date.now()}-${stores++}`;

function newStore(maxActive = 10, name = newName()): AlertStore {
  return createRedisAlerts(redis, name, { holdMs, maxActive });
}

function windowOf(id: string, of: Partial<SeenWindow> = {}): SeenWindow {
  const content = { labels: { severity: "warning" }, annotations: { summary: `of ${id}` } };
  return { id, identity: "f", fingerprint: "f", model: "m 1", rank: 0, ...content, ...of };
}

/** Of the one alert: what it says, its windows, and whether it is over. */
async function said(store: AlertStore): Promise<unknown[]> {
  return (await store.state()).alerts.flatMap(({ annotations, times, isOver }) => [
    annotations.summary,
    times,
    isOver,
  ]);
}

it("nothing ends before it began, though the clocks of alerters differ", async () => {
  const store = newStore();
  await store.seen(windowOf("warning"), 10_000);
  const { alerts } = await store.seen(windowOf("critical", { rank: 1 }), 5_000);
  expect(alerts).toHaveLength(2);
  for (const { openedAt, endsAt } of alerts) expect(endsAt).toBeGreaterThanOrEqual(openedAt);
  await store.seen(windowOf("raised", { identity: "g", stage: "raised" }), 10_000);
  const withdrawn = await store.withdraw({ identity: "g", id: "raised" }, 5_000);
  expect(withdrawn?.endsAt).toBe(10_000);
});

describe("what an alert says", () => {
  it("is never of a window that was withdrawn, but of the newest that is left", async () => {
    const store = newStore();
    const raise = (id: string, now: number) => store.seen(windowOf(id, { stage: "raised" }), now);
    await store.seen(windowOf("closed"), 1);
    await raise("b", 2);
    await raise("c", 3);
    await raise("d", 4);
    expect(await said(store)).toEqual(["of d", 4, false]);
    await store.withdraw({ identity: "f", id: "b" }, 5);
    expect(await said(store)).toEqual(["of d", 3, false]);
    await store.withdraw({ identity: "f", id: "d" }, 6);
    expect(await said(store)).toEqual(["of c", 2, false]);
    await store.withdraw({ identity: "f", id: "c" }, 7);
    expect(await said(store)).toEqual(["of closed", 1, false]);
    // What was withdrawn comes no more, whoever sends it late.
    await raise("c", 8);
    expect(await said(store)).toEqual(["of closed", 1, false]);

    await raise("e", 9);
    await raise("g", 10);
    await store.seen(windowOf("e", { stage: "confirmed", annotations: { summary: "of e, closed" } }), 11);
    expect(await said(store)).toEqual(["of e, closed", 3, false]);
    await store.withdraw({ identity: "f", id: "g" }, 12);
    expect(await said(store)).toEqual(["of e, closed", 2, false]);
  });

  it("is over with its only window", async () => {
    const store = newStore();
    await store.seen(windowOf("a", { stage: "raised" }), 1);
    const left = await store.withdraw({ identity: "f", id: "a" }, 5);
    expect(left).toMatchObject({ times: 0, isOver: true, openedAt: 1, endsAt: 5 });
    const again = await store.seen(windowOf("b"), 6);
    expect(again.alerts).toMatchObject([{ times: 1, isOver: false, openedAt: 6 }]);
  });
});

describe("a window that comes again", () => {
  it("changes nothing, whatever it brought about the first time", async () => {
    const store = newStore(1);
    const risen = windowOf("b", { rank: 1, labels: { severity: "critical" } });
    const other = windowOf("c", { identity: "g", fingerprint: "g" });
    await store.seen(windowOf("a"), 1);
    const first = await store.seen(risen, 2);
    expect(first.alerts).toMatchObject([
      { labels: { severity: "critical" }, openedAt: 2, times: 2, isOver: false, endsAt: 2 + holdMs },
      { labels: { severity: "warning" }, openedAt: 1, isReplaced: true, isOver: true, endsAt: 2 },
    ]);
    expect(await store.seen(other, 3)).toMatchObject({ isStorm: true, alerts: [{ isHeldBack: true }] });
    expect(await store.undecided({ id: "d", reason: "R" }, 4)).toBe(true);
    const before = await store.state();

    expect(await store.seen(risen, 5)).toEqual(first);
    expect(await store.seen(windowOf("a"), 6)).toEqual(first);
    expect(await store.seen(other, 7)).toMatchObject({ isStorm: false });
    expect(await store.undecided({ id: "d", reason: "R" }, 8)).toBe(false);
    expect(await store.state()).toEqual(before);
  });

  it("is not ended by a former alert with the same labels", async () => {
    const store = newStore();
    const risen = windowOf("b", { rank: 1, labels: { severity: "critical" } });
    await store.seen(windowOf("a"), 1);
    await store.seen(risen, 2);
    const later = await store.seen(windowOf("c"), 3 + holdMs);
    expect(later.alerts).toMatchObject([{ labels: { severity: "warning" }, isOver: false }]);
    expect(later.alerts).toHaveLength(1);
  });

  it("begins nothing when its alert is over and forgotten", async () => {
    const store = newStore();
    await store.seen(windowOf("a"), 1);
    await store.forget((await store.state()).alerts);
    expect((await store.seen(windowOf("a"), 2)).alerts).toEqual([]);
    expect((await store.state()).alerts).toEqual([]);
  });
});

describe("a window that is more severe", () => {
  it("opens an alert with a name of its own, also in the millisecond of the one that it replaces", async () => {
    const store = newStore();
    await store.seen(windowOf("a"), 1);
    const { alerts } = await store.seen(windowOf("b", { rank: 1, labels: { severity: "critical" } }), 1);
    expect(alerts).toMatchObject([{ labels: { severity: "critical" } }, { isReplaced: true }]);
    expect(new Set(alerts.map(nameOf)).size).toBe(2);
  });
});

describe("what is kept of windows", () => {
  it("goes by itself: texts soon after their alert, what was raised a day later, each for itself", async () => {
    const [raw, name] = [new Redis(services.redis.url), newName()];
    const lifeOf = (key: string) => raw.pttl(`lg:v1:{${name}:alerts}:${key}`);
    const store = newStore(10, name);
    for (const id of ["a", "b", "c"]) await store.seen(windowOf(id, { stage: "raised" }), Date.now());
    await store.withdraw({ identity: "f", id: "a" }, Date.now());
    await store.seen(windowOf("b", { stage: "confirmed" }), Date.now());
    const [texts, ...marks] = await Promise.all(
      ["annotations:f", "ids:f", "raised:a", "raised:b", "raised:c"].map(lifeOf),
    );
    raw.disconnect();
    expect(texts).toBeGreaterThan(holdMs);
    expect(texts).toBeLessThanOrEqual(2 * holdMs);
    const day = 24 * 3_600_000;
    for (const life of marks) {
      expect(life).toBeGreaterThan(day - holdMs);
      expect(life).toBeLessThanOrEqual(day);
    }
  });
});

describe("a storm", () => {
  it("holds back what opens while it lasts, and ends when half as many go on as may", async () => {
    const store = newStore(4);
    const open = async (names: string, now: number) => {
      for (const name of names)
        await store.seen(windowOf(`${name}${now}`, { identity: name, fingerprint: name }), now);
    };
    const heldBack = async () =>
      (await store.state()).alerts
        .flatMap(({ identity, isHeldBack }) => (isHeldBack ? [identity] : []))
        .sort();
    await open("abcd", 1);
    expect((await store.state()).storm).toBeUndefined();
    await open("ef", 2);
    expect([(await store.state()).storm, await heldBack()]).toEqual([{ openedAt: 2 }, ["e", "f"]]);
    // Room that becomes free is not filled at once: each would be one more notification.
    await open("efg", holdMs + 2);
    expect(await heldBack()).toEqual(["e", "f", "g"]);
    await store.calm(holdMs + 3);
    expect((await store.state()).storm).toEqual({ openedAt: 2 });
    await open("e", 2 * holdMs);
    await store.calm(2 * holdMs + 3);
    expect([(await store.state()).storm, await heldBack()]).toEqual([
      { openedAt: 2, endedAt: 2 * holdMs + 3 },
      ["f", "g"],
    ]);
    await open("h", 2 * holdMs + 4);
    expect(await heldBack()).toEqual(["f", "g"]);
  });

  it("leaves nothing held back that goes on at its end, and was called a false alarm meanwhile", async () => {
    const name = newName();
    const [store, suppressions] = [newStore(1, name), createRedisSuppressions(redis, name)];
    const seen = (identity: string, now: number) =>
      store.seen(windowOf(`${identity}${now}`, { identity, fingerprint: identity }), now);
    await seen("a", 1);
    for (const identity of ["b", "c"]) await seen(identity, 2);
    expect(await suppressions.begin(0, { start: 0, end: 1 })).toBe(0);
    const model = { name: "m", version: "1" };
    const said = { id: "b2", pipeline: name, fingerprint: "b", judgement: "false-alarm" as const, at: 3 };
    const feedback = [{ ...said, by: "somebody", model, lines: [] }];
    expect(await suppressions.apply({ partition: 0, from: 0, to: 1, feedback }, 3)).toBe(true);
    await seen("b", holdMs);
    await store.calm(holdMs + 3);
    const { alerts, storm } = await store.state();
    expect(storm).toEqual({ openedAt: 2, endedAt: holdMs + 3 });
    expect(Object.fromEntries(alerts.map(({ identity, isHeldBack }) => [identity, isHeldBack]))).toEqual({
      ...{ a: false, b: false },
      // It has ended, and nobody heard of it.
      c: true,
    });
  });

  it("holds nothing back after its end, also where the clock that ended it was ahead", async () => {
    const store = newStore(1);
    const seen = (identity: string, now: number) =>
      store.seen(windowOf(`${identity}${now}`, { identity, fingerprint: identity }), now);
    await seen("a", 1);
    await seen("b", 2);
    await store.calm(holdMs + 3);
    expect(await seen("b", holdMs + 1)).toMatchObject({ alerts: [{ times: 2, isHeldBack: false }] });
  });
});
