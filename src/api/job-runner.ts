import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { hasEnded } from "../model/ended.ts";
import { repeatedly } from "../repeatedly.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Verdict } from "../verdict/verdict.ts";
import type { Detection } from "./detection.ts";
import { askedOf, resultOf } from "./detection-result.ts";
import type { DetectionResult } from "./detection-schemas.ts";
import type { ClaimedJob, JobStore } from "./job-store.ts";
import { problemOf } from "./problem.ts";

const lookEveryMs = 1_000;
/** A job whose worker is not heard of for so long is another's. */
const longestLeaseMs = 30_000;
/** And one that was removed is left within. */
const heartbeatMs = 2_000;
const forgetEveryMs = 60_000;
/** Results that are reported at once. */
const reportedAtOnce = 64;

/** Processes that may die over a job, without one result more, before it fails. */
const mostTries = 3;

/** Works on jobs, one at a time: theirs is the model's time that requests leave. */
export interface JobRunner {
  start(): void;
  /** There is a new one. */
  wake(): void;
  /** Leaves what it works on to whoever comes next. */
  stop(): Promise<void>;
}

export function createJobRunner(
  deps: {
    jobs: JobStore;
    detection: Detection;
    record: (verdict: Verdict) => Promise<void>;
    metrics: Metrics;
    logger: Logger;
  },
  { retentionMs, leaseMs = longestLeaseMs }: { retentionMs: number; leaseMs?: number },
): JobRunner {
  const { jobs, detection, record, metrics, logger } = deps;
  let me = randomUUID();
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let wake: () => void = () => undefined;
  let forgetting: ReturnType<typeof repeatedly> | undefined;

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const claimed = await jobs.claim(me, Date.now(), leaseMs);
        if (claimed !== undefined) {
          await work(claimed, me);
          continue;
        }
      } catch (thrown) {
        logger.warn("Jobs cannot be looked after; trying again.", { error: reasonOf(thrown) });
      }
      await pause();
    }
  }

  async function pause(): Promise<void> {
    const woken = new AbortController();
    wake = () => woken.abort();
    const signal = AbortSignal.any([woken.signal, stopping.signal]);
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }

  async function work({ job, request }: ClaimedJob, by: string): Promise<void> {
    const { id } = job;
    try {
      await detection.open();
    } catch (thrown) {
      // It is not the job's fault, and another process may have a model.
      await jobs.release(id, by);
      throw thrown;
    }
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, stopping.signal]);
    const { lines, options } = askedOf(request);
    let found: DetectionResult[] = [];
    let seconds = 0;
    let from = job.windows.done;
    const report = async () => {
      if (found.length === 0) return;
      const more = { from, results: found, inferenceSeconds: seconds };
      [found, seconds, from] = [[], 0, from + found.length];
      await jobs.report(id, by, more, Date.now() + leaseMs);
    };
    const heartbeat = repeatedly(
      () => jobs.report(id, by, { from: 0, results: [], inferenceSeconds: 0 }, Date.now() + leaseMs),
      Math.min(heartbeatMs, leaseMs / 4),
      (thrown) => ended.abort(thrown),
    );
    try {
      if (job.tries > mostTries) throw scorerCrashed(id, job.windows.done);
      await detection.detect(lines, options, {
        skip: job.windows.done,
        signal,
        onInference(inferred) {
          seconds += inferred;
        },
        async onVerdict(verdict) {
          found.push(resultOf(verdict, request.logs, options));
          await record(verdict);
          if (found.length >= reportedAtOnce) await report();
        },
      });
      await report();
      await jobs.end(id, by, { state: "done", at: Date.now() });
      metrics.jobs.inc({ state: "done" });
    } catch (thrown) {
      await giveUp(id, by, ended.signal.aborted ? ended.signal.reason : thrown);
    } finally {
      await heartbeat.stop();
    }
  }

  async function giveUp(id: string, by: string, thrown: unknown): Promise<void> {
    if (stopping.signal.aborted) return jobs.release(id, by);
    if (thrown instanceof LogGuardianError && thrown.code === "LG_JOB_LOST") return;
    if (hasEnded(thrown)) {
      // As if this process had ended with its model: the lease runs out, and who takes the job then counts the try.
      logger.warn("The model ended over a job.", { id, error: thrown });
      me = randomUUID();
      return;
    }
    const { code, detail } = problemOf(thrown).problem;
    logger.warn("A job failed.", { id, error: thrown });
    metrics.jobs.inc({ state: "failed" });
    await jobs.end(id, by, { state: "failed", at: Date.now(), error: { code, detail } });
  }

  return {
    start() {
      running = loop();
      forgetting = repeatedly(
        () => jobs.forget(Date.now() - retentionMs),
        Math.max(lookEveryMs, Math.min(forgetEveryMs, retentionMs)),
        (thrown) => logger.warn("Jobs that ended could not be forgotten.", { error: reasonOf(thrown) }),
      );
    },
    wake: () => wake(),
    async stop() {
      stopping.abort();
      await running;
      await forgetting?.stop();
    },
  };
}

function scorerCrashed(id: string, done: number): LogGuardianError {
  return new LogGuardianError(
    "LG_SCORER_CRASHED",
    `The job ${id} ended ${mostTries} processes that worked on its windows from ${done} on.`,
    "Keep its logs, and report them.",
  );
}
