import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, expect, it } from "vitest";
import { connectRedis } from "../../src/redis/client.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { runCli } from "../support/cli.ts";
import { startRedis } from "../support/redis-nodes.ts";
import { services } from "../support/services.ts";

const own = await startRedis();
const { url } = own;
const redis = new Redis(url);
afterAll(async () => {
  redis.disconnect();
  await own.stop();
});

/** What `logguardian doctor` says of Redis. */
async function diagnosis(more: object = {}): Promise<string | undefined> {
  const config = join(tmpdir(), `${randomUUID()}.yaml`);
  const app = { topics: ["app"], format: "text", window: { kind: "session" } };
  const kafka = { brokers: [services.kafka.broker] };
  writeFileSync(config, JSON.stringify({ kafka, redis: { url, ...more }, pipelines: { app } }));
  const { stdout } = await runCli(["doctor", "--config", config]);
  return stdout.split("\n").find((line) => line.includes("Redis: "));
}

it("a Redis that throws keys away at its limit is known as such", async () => {
  const client = await connectRedis({ url }, { logger: silentLogger, health: createHealth() });
  for (const [maxmemory, policy, expected] of [
    ["20gb", "noeviction", "noeviction"],
    ["20gb", "allkeys-lru", "allkeys-lru"],
    ["0", "allkeys-lru", "noeviction"],
  ] as const) {
    await redis.config("SET", "maxmemory", maxmemory, "maxmemory-policy", policy);
    expect(await client.evictionPolicy()).toBe(expected);
  }
  await client.close();
});

it("doctor fails where Redis throws keys away, and says so where Redis does not tell", async () => {
  await redis.config("SET", "maxmemory", "20gb", "maxmemory-policy", "allkeys-lru");
  expect(await diagnosis()).toMatch(
    /^FAIL .*maxmemory-policy allkeys-lru.*Set maxmemory-policy to noeviction/,
  );
  const account = { username: `managed-${randomUUID()}`, password: "secret" };
  await redis.call("ACL", "SETUSER", account.username, "on", `>${account.password}`, "~*", "+@all", "-info");
  try {
    expect(await diagnosis(account)).toMatch(/^ok .*answers PONG, but not what.*INFO is refused/);
  } finally {
    await redis.call("ACL", "DELUSER", account.username);
  }
});
