import { randomUUID } from "node:crypto";
import { afterEach, expect, it } from "vitest";
import type { Detection } from "../../src/api/detection.ts";
import { createJobRunner } from "../../src/api/job-runner.ts";
import type { JobStore } from "../../src/api/job-store.ts";
import { createMemoryJobs } from "../../src/api/memory-jobs.ts";
import { loadConfigOfApi } from "../../src/config/load.ts";
import { modelEnded } from "../../src/model/ended.ts";
import { createDetection } from "../../src/pipeline/api-detection.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { until } from "../support/until.ts";

const { config } = loadConfigOfApi(undefined, {});
const metrics = createMetrics();
let workers: { stop(): Promise<void>; detection: Detection }[] = [];
afterEach(async () => {
  for (const { stop } of workers) await stop();
  for (const { detection } of workers) await detection.close();
  workers = [];
});

/** A process's worker, with the bundle that is configured. */
function startWorker(jobs: JobStore, bundle?: string, wrap = (detection: Detection) => detection): void {
  const api = { ...config.api, ...(bundle === undefined ? {} : { bundle }) };
  const detection = wrap(createDetection({ ...config, api }, { metrics }));
  const deps = { jobs, detection, record: async () => {}, metrics, logger: silentLogger };
  const worker = createJobRunner(deps, { retentionMs: 60_000, leaseMs: 1_000 });
  worker.start();
  workers.push({ ...worker, detection });
}

async function addJob(jobs: JobStore, message = "a line"): Promise<string> {
  const id = randomUUID();
  const asked = { window_size: 1, stride: null, batch_size: 1, raw_output: false };
  const job = { id, owner: "me", createdAt: Date.now(), lines: 1, windows: 1 };
  await jobs.add(job, { logs: [{ message }], ...asked });
  return id;
}

it("a process without a model leaves jobs to those that have one, however often it takes them", async () => {
  const jobs = createMemoryJobs({ maxBytes: 2 ** 20 });
  let claims = 0;
  const counted: JobStore = {
    ...jobs,
    claim(...args) {
      claims++;
      return jobs.claim(...args);
    },
  };
  const id = await addJob(jobs);
  startWorker(counted, "/nowhere");
  await until(() => claims > 5, "it took the job more often than a job may end processes");
  startWorker(jobs);
  await until(async () => (await jobs.get(id))?.state === "done", "the other has done it");
});

it("a job over which the model ends again and again fails, and holds up no other", async () => {
  const jobs = createMemoryJobs({ maxBytes: 2 ** 20 });
  const fatal = "a line that ends the model";
  const bad = await addJob(jobs, fatal);
  const good = await addJob(jobs);
  startWorker(jobs, undefined, (detection) => ({
    ...detection,
    async detect(lines, options, run) {
      if (lines[0]?.message === fatal) throw modelEnded("language model", "a crash");
      return detection.detect(lines, options, run);
    },
  }));
  await until(async () => (await jobs.get(good))?.state === "done", "the other is done");
  await until(async () => (await jobs.get(bad))?.state === "failed", "it fails");
  expect(await jobs.get(bad)).toMatchObject({ error: { code: "LG_SCORER_CRASHED" } });
});
