import { describe, expect, it } from "vitest";
import { createPatience, onBoth, onRedis } from "../../src/api/patience.ts";
import { createHealth } from "../../src/telemetry/health.ts";

describe("patience", () => {
  it("asks nothing more of what others wait for", async () => {
    const health = createHealth();
    const within = createPatience(health);
    let asked = 0;
    const ask = async () => ++asked;
    const endWait = health.wait("redis-away");
    await expect(within(ask, onRedis)).rejects.toMatchObject({ code: "LG_API_AWAY" });
    expect(asked).toBe(0);
    endWait();
    expect(await within(ask, onRedis)).toBe(1);
    const endOther = health.wait("broker-away");
    expect(await within(ask, onRedis)).toBe(2);
    await expect(within(ask, onBoth)).rejects.toMatchObject({ code: "LG_API_AWAY" });
    endOther();
  });

  it("tells who is asked when nobody waits any more", async () => {
    const within = createPatience(createHealth());
    const asked: AbortSignal[] = [];
    const ask = (answer: Promise<unknown>) => (signal: AbortSignal) => {
      asked.push(signal);
      return answer;
    };
    await within(ask(Promise.resolve()), onRedis);
    await within(ask(new Promise(() => undefined)), onRedis).catch(() => undefined);
    expect(asked.map(({ aborted }) => aborted)).toEqual([false, true]);
  });

  it("ends with a refusal where no answer comes, and hands on what went wrong", async () => {
    const within = createPatience(createHealth());
    await expect(within(() => new Promise(() => undefined), onRedis)).rejects.toMatchObject({
      code: "LG_API_AWAY",
    });
    const wrong = new Error("wrong");
    await expect(within(() => Promise.reject(wrong), onRedis)).rejects.toBe(wrong);
  });
});
