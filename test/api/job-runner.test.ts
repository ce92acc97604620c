import { randomUUID } from "node:crypto";
import { it } from "vitest";
import { createJobRunner } from "../../src/api/job-runner.ts";
import { createMemoryJobs } from "../../src/api/memory-jobs.ts";
import { loadConfigOfApi } from "../../src/config/load.ts";
import { createDetection } from "../../src/pipeline/api-detection.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { until } from "../support/until.ts";

it("a process without a model leaves jobs to those that have one, however often it takes them", async () => {
  const { config } = loadConfigOfApi(undefined, {});
  const jobs = createMemoryJobs({ maxBytes: 2 ** 20 });
  const metrics = createMetrics();
  let claims = 0;
  const counted = {
    ...jobs,
    claim: (...args: Parameters<typeof jobs.claim>) => {
      claims++;
      return jobs.claim(...args);
    },
  };
  const workerOf = (bundle: string | undefined, held = jobs) => {
    const api = { ...config.api, ...(bundle === undefined ? {} : { bundle }) };
    const detection = createDetection({ ...config, api }, { metrics });
    const deps = { jobs: held, detection, record: async () => {}, metrics, logger: silentLogger };
    return { ...createJobRunner(deps, { retentionMs: 60_000 }), detection };
  };
  const id = randomUUID();
  const job = { id, owner: "me", createdAt: Date.now(), lines: 1, windows: 1 };
  const asked = { window_size: 1, stride: null, batch_size: 1, raw_output: false };
  await jobs.add(job, { logs: [{ message: "a line" }], ...asked });

  const without = workerOf("/nowhere", counted);
  without.start();
  await until(() => claims > 5, "it took the job more often than a job may end processes");
  const withModel = workerOf(undefined);
  withModel.start();
  await until(async () => (await jobs.get(id))?.state === "done", "the other has done it");
  await Promise.all([without.stop(), withModel.stop()]);
  await Promise.all([without.detection.close(), withModel.detection.close()]);
});
