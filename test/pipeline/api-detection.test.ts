import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import { parseConfig } from "../../src/config/load.ts";
import { createDetection } from "../../src/pipeline/api-detection.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { starterCopy } from "../support/bundles.ts";

afterEach(() => vi.useRealTimers());

it("a model that cannot be opened is not loaded again by every request, but is after a while", async () => {
  const bundle = starterCopy();
  const manifest = join(bundle, "manifest.json");
  const whole = readFileSync(manifest);
  writeFileSync(manifest, "{}");
  const config = parseConfig(stringify({ api: { bundle } }), "x.yaml", {}, { needsPipelines: false });
  const detection = createDetection(config, { metrics: createMetrics() });
  const failure = await detection.open().catch((thrown) => thrown);
  expect(failure.code).toMatch(/^LG_BUNDLE_/);
  writeFileSync(manifest, whole);
  await expect(detection.open()).rejects.toBe(failure);
  vi.setSystemTime(Date.now() + 60_000);
  expect(await detection.open()).toMatchObject({ name: "starter" });
  await detection.close();
  rmSync(dirname(bundle), { recursive: true });
});
