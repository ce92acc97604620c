import { afterEach, describe, expect, it } from "vitest";
import type { Config } from "../../src/config/schema.ts";
import { createRedisActiveAnomalies } from "../../src/redis/active-anomalies.ts";
import { connectRedis } from "../../src/redis/client.ts";
import { createRedisScoringMarks } from "../../src/redis/scoring-marks.ts";
import { createRedisWindowStore } from "../../src/redis/window-store.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { startRedisCluster, startRedisWithSentinel } from "../support/redis-nodes.ts";

const url = "redis://localhost:6379";
const name = "test";
const partition = 3;
const progress = {
  specHash: "s",
  specSince: 0,
  nextSeq: 7,
  maskHash: "m",
  streamTime: { reached: Number.MIN_SAFE_INTEGER, sources: [] },
};
const change = (mark: number) => ({
  fence: { incarnation: "a", mark },
  progress,
  opened: [],
  released: [],
  overlap: new Map([["k", mark]]),
  pending: [],
});

let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

async function connect(redis: Config["redis"]) {
  const client = await connectRedis(redis, { logger: silentLogger, health: createHealth() });
  closing.push(() => client.close());
  return client;
}

async function goesOn(redis: Config["redis"], killMaster: () => Promise<void>): Promise<void> {
  const client = await connect(redis);
  const store = createRedisWindowStore(client, name, partition);
  await store.reset(undefined, { ...change(4), entries: [] });
  expect(await store.apply({ incarnation: "a", mark: 4 }, change(5))).toBe("applied");
  await killMaster();
  expect(await store.apply({ incarnation: "a", mark: 5 }, change(6))).toBe("applied");
  const loaded = (await store.load()).state;
  expect([loaded?.fence.mark, loaded?.overlap]).toEqual([6, new Map([["k", 6]])]);
}

describe("a cluster", () => {
  it("holds every kind of state, and goes on after a master's end", async () => {
    const cluster = await startRedisCluster();
    closing.push(cluster.stop);
    const redis = { url, cluster: cluster.urls.slice(0, 2) };
    const client = await connect(redis);
    for (const pipeline of ["a", "b", "c", "d"]) {
      const marks = createRedisScoringMarks(client, pipeline);
      await marks.begin(["w1", "w2"]);
      await marks.end(["w1"]);
      expect(await marks.left()).toEqual(new Map([["w2", 1]]));
      expect(await createRedisActiveAnomalies(client, pipeline).all()).toEqual([]);
    }
    await goesOn(redis, () => cluster.killMasterOf(`lg:v1:{${name}:${partition}}:state`));
  });
});

describe("Sentinel", () => {
  it("leads to the new master after the old one's end", async () => {
    const { sentinel, killMaster, stop } = await startRedisWithSentinel();
    closing.push(stop);
    await goesOn({ url, sentinel }, killMaster);
  });
});
