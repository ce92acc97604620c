import { describe, expect, it } from "vitest";
import { createHealth } from "../../src/telemetry/health.ts";
import { serveTelemetry } from "../../src/telemetry/http.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";

describe("health", () => {
  function at() {
    let time = 0;
    const health = createHealth({ stuckAfterMs: 60_000, now: () => time });
    return { health, pass: (seconds: number) => (time += 1000 * seconds) };
  }

  it("is ready once every unit has started", () => {
    const { health } = at();
    const unit = health.unit("ingester");
    expect(health.state()).toMatchObject({ live: true, ready: false });
    unit.started();
    expect(health.state()).toMatchObject({ live: true, ready: true });
  });

  it("is red when there is work and no progress for a minute", () => {
    const { health, pass } = at();
    const unit = health.unit("ingester");
    unit.started();
    pass(1000);
    expect(health.state().live).toBe(true);
    unit.inHand(5);
    pass(59);
    expect(health.state().live).toBe(true);
    pass(2);
    expect(health.state().live).toBe(false);
    unit.progress(4);
    expect(health.state().live).toBe(true);
  });

  it("stays alive while it waits for something with a name, but is not ready", () => {
    const { health, pass } = at();
    const unit = health.unit("windower");
    unit.started();
    unit.inHand(5);
    const end = health.wait("redis-away");
    pass(1000);
    expect(health.state()).toMatchObject({ live: true, ready: false, waits: ["redis-away"] });
    end();
    expect(health.state()).toMatchObject({ live: true, ready: true, waits: [] });
    pass(61);
    expect(health.state().live).toBe(false);
  });
});

describe("the telemetry server", () => {
  it("answers /metrics, /health and /ready", async () => {
    const health = createHealth();
    const unit = health.unit("detector");
    const metrics = createMetrics();
    metrics.deadLetters.inc({ pipeline: "p", role: "ingester", reason: "LG_RECORD_JSON" }, 2);
    const server = await serveTelemetry({ metrics, health }, { host: "127.0.0.1", port: 0 });
    const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
    expect((await get("/ready")).status).toBe(503);
    unit.started();
    expect(await (await get("/ready")).json()).toMatchObject({ status: "ok", ready: true });
    expect((await get("/health")).status).toBe(200);
    expect((await get("/other")).status).toBe(404);
    const text = await (await get("/metrics")).text();
    expect(text).toMatch(/^logguardian_build_info\{version="[^"]+",node="v\d+[^"]*"\} 1$/m);
    expect(text).toContain(
      'logguardian_dead_letters_total{pipeline="p",role="ingester",reason="LG_RECORD_JSON"} 2',
    );
    await expect(
      serveTelemetry({ metrics, health }, { host: "127.0.0.1", port: server.port }),
    ).rejects.toMatchObject({ code: "LG_HTTP_PORT" });
    await server.close();
  });
});
