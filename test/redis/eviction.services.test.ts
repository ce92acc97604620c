import { Redis } from "ioredis";
import { afterEach, expect, it } from "vitest";
import { connectRedis } from "../../src/redis/client.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { services } from "../support/services.ts";

const redis = new Redis(services.redis.url);
afterEach(async () => {
  await redis.config("SET", "maxmemory", "0", "maxmemory-policy", "noeviction");
  redis.disconnect();
});

it("a Redis that throws keys away at its limit is known as such", async () => {
  const { url } = services.redis;
  const client = await connectRedis({ url }, { logger: silentLogger, health: createHealth() });
  // A limit that the tests beside this one do not meet.
  for (const [maxmemory, policy, expected] of [
    ["20gb", "noeviction", undefined],
    ["20gb", "allkeys-lru", "allkeys-lru"],
    ["0", "allkeys-lru", undefined],
  ] as const) {
    await redis.config("SET", "maxmemory", maxmemory, "maxmemory-policy", policy);
    expect(await client.evictionPolicy()).toBe(expected);
  }
  await client.close();
});
