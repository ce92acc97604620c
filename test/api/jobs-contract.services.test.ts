import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DetectBody, DetectionResult } from "../../src/api/detection-schemas.ts";
import type { JobStore } from "../../src/api/job-store.ts";
import { createMemoryJobs } from "../../src/api/memory-jobs.ts";
import { connectRedis, type RedisClient } from "../../src/redis/client.ts";
import { createRedisJobs } from "../../src/redis/job-store.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { services } from "../support/services.ts";

let redis: RedisClient;
beforeAll(async () => {
  redis = await connectRedis({ url: services.redis.url }, { logger: silentLogger, health: createHealth() });
});
afterAll(() => redis.close());

const stores: [string, (maxBytes?: number) => JobStore][] = [
  ["memory", (maxBytes = 2 ** 20) => createMemoryJobs({ maxBytes })],
  ["Redis", (maxBytes = 2 ** 20) => createRedisJobs(redis, `test-${randomUUID()}`, { maxBytes })],
];

const request = (text = "x"): DetectBody => ({
  logs: [{ message: text }],
  ...{ window_size: 1, stride: null, batch_size: 1, raw_output: false },
});
const job = (createdAt = 1) => ({ id: randomUUID(), owner: "me", createdAt, lines: 1, windows: 3 });
const result = (id: string) => ({ id, verdict: "normal", lines: 1 }) as unknown as DetectionResult;
const now = 1_000_000;
const leaseMs = 1000;
const lost = { code: "LG_JOB_LOST" };

describe.each(stores)("jobs in %s", (_, create) => {
  it("go from being queued to being done, with their results in order", async () => {
    const jobs = create();
    const one = job();
    await jobs.add(one, request("ü\n💥"));
    expect(await jobs.get(one.id)).toMatchObject({
      state: "queued",
      owner: "me",
      windows: { done: 0, total: 3 },
    });
    const claimed = await jobs.claim("a", now, leaseMs);
    expect(claimed?.request).toEqual(request("ü\n💥"));
    expect(claimed?.job).toMatchObject({ id: one.id, state: "running", startedAt: now, tries: 1 });
    await jobs.report(
      one.id,
      "a",
      { from: 0, results: [result("1"), result("2")], inferenceSeconds: 0.5 },
      now + leaseMs,
    );
    await jobs.report(
      one.id,
      "a",
      { from: 2, results: [result("3")], inferenceSeconds: 0.25 },
      now + leaseMs,
    );
    // As after an answer that did not come.
    await jobs.report(
      one.id,
      "a",
      { from: 2, results: [result("3")], inferenceSeconds: 0.25 },
      now + leaseMs,
    );
    expect((await jobs.claim("a", now, leaseMs))?.job).toMatchObject({ id: one.id, windows: { done: 3 } });
    const gap = { from: 7, results: [result("8")], inferenceSeconds: 0 };
    await expect(jobs.report(one.id, "a", gap, now + leaseMs)).rejects.toMatchObject(lost);
    await jobs.end(one.id, "a", { state: "done", at: now + 5 });
    expect(await jobs.get(one.id)).toMatchObject({
      ...{ state: "done", endedAt: now + 5, inferenceSeconds: 0.75, tries: 0 },
      windows: { done: 3, total: 3 },
    });
    const idsOf = async (from: number, limit: number) =>
      (await jobs.results(one.id, from, limit)).map(({ id }) => id);
    expect(await idsOf(0, 10)).toEqual(["1", "2", "3"]);
    expect(await idsOf(1, 1)).toEqual(["2"]);
    expect(await idsOf(3, 10)).toEqual([]);
    expect(await jobs.claim("a", now, leaseMs)).toBeUndefined();
    expect(await jobs.get(randomUUID())).toBeUndefined();
  });

  it("are claimed the oldest first, each by one, until nothing is heard of it", async () => {
    const jobs = create();
    const [first, second] = [job(1), job(2)];
    await jobs.add(first, request());
    await jobs.add(second, request());
    expect((await jobs.claim("a", now, leaseMs))?.job.id).toBe(first.id);
    expect((await jobs.claim("b", now, leaseMs))?.job.id).toBe(second.id);
    expect(await jobs.claim("c", now + leaseMs, leaseMs)).toBeUndefined();
    await jobs.report(first.id, "a", { from: 0, results: [], inferenceSeconds: 0 }, now + 9 * leaseMs);
    const again = await jobs.claim("c", now + 2 * leaseMs, leaseMs);
    expect(again?.job).toMatchObject({ id: second.id, tries: 2, startedAt: now });
    await expect(
      jobs.report(second.id, "b", { from: 0, results: [result("1")], inferenceSeconds: 0 }, 0),
    ).rejects.toMatchObject(lost);
    await expect(jobs.end(second.id, "b", { state: "done", at: now })).rejects.toMatchObject(lost);
  });

  it("are left to the next with what was found", async () => {
    const jobs = create();
    const one = job();
    await jobs.add(one, request());
    await jobs.claim("a", now, leaseMs);
    await jobs.report(one.id, "a", { from: 0, results: [result("1")], inferenceSeconds: 0 }, now + leaseMs);
    await jobs.release(one.id, "b");
    expect(await jobs.claim("c", now, leaseMs)).toBeUndefined();
    await jobs.release(one.id, "a");
    expect((await jobs.claim("c", now, leaseMs))?.job).toMatchObject({ windows: { done: 1 }, tries: 1 });
  });

  it("say why they failed", async () => {
    const jobs = create();
    const one = job();
    await jobs.add(one, request());
    await jobs.claim("a", now, leaseMs);
    const error = { code: "LG_X", detail: "It is so." };
    await jobs.end(one.id, "a", { state: "failed", at: now, error });
    expect(await jobs.get(one.id)).toMatchObject({ state: "failed", error });
  });

  it("are removed whatever they are, with all they hold, which whoever works on them hears of", async () => {
    const jobs = create(700);
    const [one, other] = [job(1), job(2)];
    await jobs.add(one, request());
    await jobs.claim("a", now, leaseMs);
    await jobs.report(one.id, "a", { from: 0, results: [result("1")], inferenceSeconds: 0 }, now + leaseMs);
    await jobs.remove(one.id);
    await jobs.remove(one.id);
    expect(await jobs.get(one.id)).toBeUndefined();
    expect(await jobs.results(one.id, 0, 10)).toEqual([]);
    const nothing = { from: 0, results: [], inferenceSeconds: 0 };
    await expect(jobs.report(one.id, "a", nothing, now + leaseMs)).rejects.toMatchObject(lost);
    await jobs.add(other, request());
    await jobs.remove(other.id);
    expect(await jobs.claim("a", now, leaseMs)).toBeUndefined();
    expect(await jobs.get(other.id)).toBeUndefined();
  });

  it("take no more room than there is, and give it back", async () => {
    const jobs = create(600);
    const [one, two] = [job(1), job(2)];
    const noise = Array.from({ length: 400 }, (_, at) => String.fromCharCode(33 + ((at * 7919) % 90))).join(
      "",
    );
    await jobs.add(one, request());
    await jobs.claim("a", now, leaseMs);
    const large = { from: 0, results: [result(noise.repeat(2))], inferenceSeconds: 0 };
    await expect(jobs.report(one.id, "a", large, now + leaseMs)).rejects.toMatchObject({
      code: "LG_JOB_SIZE",
    });
    await jobs.report(one.id, "a", { from: 0, results: [result(noise)], inferenceSeconds: 0 }, now + leaseMs);
    const more = Array.from({ length: 300 }, () => randomUUID()).join("");
    await expect(jobs.add(two, request(more))).rejects.toMatchObject({ code: "LG_API_BUSY" });
    await jobs.end(one.id, "a", { state: "done", at: now });
    // What was sent is not needed any more.
    const three = job(3);
    await jobs.add(three, request());
    await jobs.remove(three.id);
    await jobs.forget(now);
    expect(await jobs.get(one.id)).toBeDefined();
    await jobs.forget(now + 1);
    expect(await jobs.get(one.id)).toBeUndefined();
    expect(await jobs.results(one.id, 0, 10)).toEqual([]);
    await jobs.add(two, request(noise));
  });
});
