import { describe, expect, it } from "vitest";
import { createQuota } from "../../src/pipeline/quota.ts";

describe("a quota", () => {
  it("asks for a pause as long as what was taken should have lasted, and saves nothing up", () => {
    let now = 0;
    const quota = createQuota(() => now);
    expect(quota.pauseMs()).toBe(0);
    quota.take(50, 100);
    quota.take(50, 100);
    expect(quota.pauseMs()).toBe(1000);
    now = 600;
    expect(quota.pauseMs()).toBe(400);
    now = 100_000;
    quota.take(10, 100);
    expect(quota.pauseMs()).toBe(100);
  });
});
