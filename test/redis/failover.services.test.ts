import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Config } from "../../src/config/schema.ts";
import type { LinesMessage } from "../../src/ingest/lines-message.ts";
import { createRedisAlerts } from "../../src/redis/alerts.ts";
import { connectRedis, type RedisClient } from "../../src/redis/client.ts";
import { createRedisScoringMarks } from "../../src/redis/scoring-marks.ts";
import { createRedisSuppressions } from "../../src/redis/suppressions.ts";
import { createRedisWindowStore } from "../../src/redis/window-store.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMemoryStore } from "../../src/window/memory-store.ts";
import { createPartitionWindower } from "../../src/window/partition-windower.ts";
import type { WindowStore } from "../../src/window/store.ts";
import type { Window, WindowSpec } from "../../src/window/window.ts";
import { decodedWindow } from "../support/decoded.ts";
import { startRedisCluster, startRedisWithSentinel } from "../support/redis-nodes.ts";
import { progress } from "../support/window-progress.ts";

const url = "redis://localhost:6379";
const name = "test";
const partition = 3;
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

/** Before a server: connections that are made while there is a delay hear of each answer only so much later. */
async function slowProxy(target: string) {
  const { hostname, port } = new URL(target);
  let delayMs = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const late = delayMs;
    const behind = createConnection(Number(port), hostname);
    for (const socket of [client, behind]) sockets.add(socket.on("error", () => undefined));
    client.pipe(behind);
    behind.on("data", (data) => void setTimeout(() => client.write(data), late));
    behind.on("close", () => client.destroy());
    client.on("close", () => behind.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    delay: (milliseconds: number) => {
      delayMs = milliseconds;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

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

/** Every script of the alerter once: their keys must be on one shard. */
async function keepsAlerts(client: RedisClient, pipeline: string): Promise<void> {
  const store = createRedisAlerts(client, pipeline, { holdMs: 60_000, maxActive: 1 });
  const suppressions = createRedisSuppressions(client, pipeline);
  const [now, model] = [Date.now(), { name: "m", version: "1" }];
  const windowOf = (id: string) => ({
    ...{ id, identity: `f${id}`, fingerprint: `f${id}`, model: "m 1", rank: 0, stage: "raised" as const },
    ...{ labels: { severity: "warning" }, annotations: { summary: id } },
  });
  for (const id of ["1", "2", "3"]) await store.seen(windowOf(id), now);
  expect([await store.raisedAs("2"), await store.raisedAs("4")]).toEqual(["f2", undefined]);
  await store.withdraw({ identity: "f2", id: "2" }, now);
  expect(await store.undecided({ id: "5", reason: "R" }, now)).toBe(true);
  await store.setTold("http://am", ["f1 7"], now);
  expect(await store.toldAt("http://am", ["f1 7", "f2 7"])).toEqual([now, undefined]);
  expect(await suppressions.begin(0, { start: 0, end: 1 })).toBe(0);
  const said = {
    id: "1",
    pipeline,
    fingerprint: "f1",
    judgement: "false-alarm" as const,
    at: now,
    by: "b",
    model,
  };
  const read = { partition: 0, from: 0, to: 1, feedback: [{ ...said, lines: [] }] };
  expect([await suppressions.apply(read, now), await suppressions.apply(read, now)]).toEqual([true, false]);
  expect([await suppressions.isAt(0, 1, true), await suppressions.isRead(1)]).toEqual([true, true]);
  await store.calm(now);
  const { alerts, storm, undecided, suppressions: known } = await store.state();
  expect(alerts.map(({ identity, isHeldBack }) => [identity, isHeldBack]).sort()).toEqual([
    ["f1", false],
    ["f2", true],
    ["f3", true],
  ]);
  expect([storm, undecided?.reasons, known.map(({ fingerprint }) => fingerprint)]).toEqual([
    { openedAt: now },
    { R: 1 },
    ["f1"],
  ]);
  await store.forget(alerts);
  expect((await store.state()).alerts).toEqual([]);
}

describe("a cluster", () => {
  it("holds every kind of state, and goes on after a master's end", async () => {
    const cluster = await startRedisCluster();
    closing.push(cluster.stop);
    const redis = { url, cluster: cluster.urls.slice(0, 2) };
    const client = await connect(redis);
    for (const pipeline of ["a", "b", "c", "d"]) {
      const marks = createRedisScoringMarks(client, pipeline);
      await marks.begin(
        new Map([
          ["w1", 1],
          ["w2", 1],
        ]),
      );
      await marks.end(["w1"]);
      expect(await marks.left()).toEqual(new Map([["w2", 1]]));
      await keepsAlerts(client, pipeline);
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

  it("leads there also who hears of it while asking for the master", async () => {
    const { sentinel, killMaster, stop } = await startRedisWithSentinel();
    closing.push(stop);
    const slow = await slowProxy(sentinel.urls[0] ?? "");
    closing.push(slow.close);
    const client = await connect({ url, sentinel: { ...sentinel, urls: [slow.url] } });
    expect(await client.field("any", "field")).toBeUndefined();
    slow.delay(2_000);
    await killMaster();
    expect(await client.field("any", "field")).toBeUndefined();
  });

  it.each<[string, WindowSpec]>([
    ["session", { kind: "session", gapMs: 25, maxLines: 100 }],
    ["sliding", { kind: "sliding", size: 4, stride: 2 }],
  ])("notices a failover that lost writes at the next append, and changes no %s window", async (_, spec) => {
    const { sentinel, endReplication, killUnreplicated, stop } = await startRedisWithSentinel();
    closing.push(stop);
    const messages = messagesOf(60);
    const client = await connect({ url, sentinel });
    const windowerOn = (store: WindowStore) => createPartitionWindower({ store }, { pipeline: name, spec });
    const undisturbed = windowerOn(createMemoryStore());
    await undisturbed.resume();
    const expected = await undisturbed.advance(messages);

    const first = windowerOn(createRedisWindowStore(client, name, partition));
    await first.resume();
    const windows = await first.advance(messages.slice(0, 20));
    await endReplication();
    windows.push(...(await first.advance(messages.slice(20, 40))));
    const committed = first.commitPoint();
    killUnreplicated();
    await expect(first.advance(messages.slice(40))).rejects.toMatchObject({ code: "LG_WINDOW_FENCED" });

    const second = windowerOn(createRedisWindowStore(client, name, partition));
    const { position, pending } = await second.resume(committed, async () => ({
      start: 0,
      end: messages.length,
    }));
    expect([position, committed.offset]).toEqual([20, 40]);
    windows.push(...pending, ...(await second.advance(messages.slice(position))));
    expect(expected.length).toBeGreaterThan(5);
    const byId = (all: Window[]) => new Map(all.map((window) => [window.id, decodedWindow(window)]));
    expect(byId(windows)).toEqual(byId(expected));
  });
});

/** Lines of three keys, each with pauses that end a session, then a flush. */
function messagesOf(count: number): { offset: number; message: LinesMessage }[] {
  const messages = Array.from({ length: count }, (_, offset): LinesMessage => {
    const time = offset * 5 + Math.floor(offset / 7) * 40;
    const position = { topic: "raw", partition: 0, offset, index: 0 };
    const text = `line ${offset}`;
    const line = { position, time, origin: { host: "h", file: "a.log" }, text, masked: text };
    return {
      kind: "chunk",
      source: { topic: "raw", incarnation: "1", partition: 0 },
      topics: [{ topic: "raw", partitions: 1 }],
      through: { offset, index: 0 },
      streamTime: time,
      maskHash: "m",
      lines: [{ ...line, keys: [`k${offset % 3}`] }],
    };
  });
  return [...messages, { kind: "flush" as const, label: "test" }].map((message, offset) => ({
    offset,
    message,
  }));
}
