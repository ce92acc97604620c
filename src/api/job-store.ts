import { LogGuardianError } from "../errors.ts";
import type { DetectBody, DetectionResult, JobState } from "./detection-schemas.ts";
import { type ProblemDocument, refusal } from "./problem.ts";

export interface Job {
  id: string;
  /** Name of the token of whoever sent it. */
  owner: string;
  state: JobState;
  /** Milliseconds since the epoch. */
  createdAt: number;
  startedAt?: number;
  endedAt?: number;
  lines: number;
  windows: { done: number; total: number };
  inferenceSeconds: number;
  /** How often it was begun since it last got on: who dies over it cannot say so. */
  tries: number;
  /** Why it failed. */
  error?: Pick<ProblemDocument, "code" | "detail">;
}

/** A job in somebody's hands. */
export interface ClaimedJob {
  job: Job;
  request: DetectBody;
}

export interface JobStore {
  /** @throws LogGuardianError LG_API_BUSY where there is no room. */
  add(
    job: Pick<Job, "id" | "owner" | "createdAt" | "lines"> & { windows: number },
    request: DetectBody,
  ): Promise<void>;
  get(id: string): Promise<Job | undefined>;
  /** In the windows' order, from one on, at most so many. */
  results(id: string, from: number, limit: number): Promise<DetectionResult[]>;
  /**
   * The oldest that nobody works on; it is the caller's while it is heard of within `leaseMs`. Who asks works on none: one
   * that is in their name is given to them again.
   */
  claim(by: string, now: number, leaseMs: number): Promise<ClaimedJob | undefined>;
  /**
   * More of its results, in their order, behind the first `from`; none only says that it is worked on.
   * @throws LogGuardianError LG_JOB_LOST where it was removed or is another's, LG_JOB_SIZE where there is no room.
   */
  report(
    id: string,
    by: string,
    found: { from: number; results: readonly DetectionResult[]; inferenceSeconds: number },
    leaseUntil: number,
  ): Promise<void>;
  /** Leaves it to whoever comes. */
  release(id: string, by: string): Promise<void>;
  /** Of one that is the caller's. */
  end(
    id: string,
    by: string,
    how: { state: "done" | "failed"; at: number; error?: Job["error"] },
  ): Promise<void>;
  /** With all that was sent and found; who works on it hears of it. */
  remove(id: string): Promise<void>;
  /** Forgets those that ended before. @param before milliseconds. */
  forget(before: number): Promise<void>;
}

export function jobLost(id: string): LogGuardianError {
  return new LogGuardianError(
    "LG_JOB_LOST",
    `The job ${id} was removed, or another process works on it.`,
    "Nothing is to be done.",
  );
}

export function jobTooLarge(): LogGuardianError {
  return new LogGuardianError(
    "LG_JOB_SIZE",
    "There is no room for the job's results.",
    "Send fewer logs or a longer stride, remove jobs that are done, or raise api.jobs.maxBytes.",
  );
}

export function noRoomForJobs(): LogGuardianError {
  return refusal(
    "LG_API_BUSY",
    "There is no room for another job.",
    "Remove jobs that are done (DELETE /batch-detect/{id}), or wait until some are forgotten; api.jobs says how much is kept.",
    { retryAfterSeconds: 60 },
  );
}
