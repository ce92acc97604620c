import type { DetectBody, DetectionResult } from "./detection-schemas.ts";
import { type Job, type JobStore, jobLost, jobTooLarge, noRoomForJobs } from "./job-store.ts";

interface Held {
  job: Job;
  request: DetectBody | undefined;
  requestBytes: number;
  results: DetectionResult[];
  bytes: number;
  lease: { by: string; until: number } | undefined;
}

/** The jobs of the embedded form: they live and die with its process. */
export function createMemoryJobs({ maxBytes }: { maxBytes: number }): JobStore {
  const held = new Map<string, Held>();
  let bytes = 0;

  function grow(one: Held, by: number): void {
    one.bytes += by;
    bytes += by;
  }

  function drop(one: Held): void {
    held.delete(one.job.id);
    grow(one, -one.bytes);
  }

  function ofMine(id: string, by: string): Held {
    const one = held.get(id);
    if (one?.job.state !== "running" || one.lease?.by !== by) throw jobLost(id);
    return one;
  }

  return {
    async add({ windows, ...job }, request) {
      const size = JSON.stringify(request).length;
      if (bytes + size > maxBytes) throw noRoomForJobs();
      const one: Held = {
        job: { ...job, state: "queued", windows: { done: 0, total: windows }, inferenceSeconds: 0, tries: 0 },
        request,
        requestBytes: size,
        results: [],
        bytes: 0,
        lease: undefined,
      };
      grow(one, size);
      held.set(job.id, one);
    },
    get: async (id) => held.get(id)?.job,
    results: async (id, from, limit) => held.get(id)?.results.slice(from, from + limit) ?? [],
    async claim(by, now, leaseMs) {
      for (const one of held.values()) {
        const { state } = one.job;
        if (state === "running" && one.lease?.by === by && one.request !== undefined)
          return { job: one.job, request: one.request };
        const isFree = state === "queued" || (state === "running" && (one.lease?.until ?? 0) < now);
        if (!isFree || one.request === undefined) continue;
        one.lease = { by, until: now + leaseMs };
        const { startedAt = now, tries } = one.job;
        one.job = { ...one.job, state: "running", startedAt, tries: tries + 1 };
        return { job: one.job, request: one.request };
      }
      return undefined;
    },
    async report(id, by, { from, results, inferenceSeconds }, until) {
      const one = ofMine(id, by);
      one.lease = { by, until };
      const known = one.results.length;
      if (results.length === 0 || known === from + results.length) return;
      if (known !== from) throw jobLost(id);
      const size = JSON.stringify(results).length;
      if (bytes + size > maxBytes) throw jobTooLarge();
      grow(one, size);
      one.results.push(...results);
      const { windows } = one.job;
      one.job = {
        ...one.job,
        tries: 0,
        windows: { ...windows, done: windows.done + results.length },
        inferenceSeconds: one.job.inferenceSeconds + inferenceSeconds,
      };
    },
    async release(id, by) {
      const one = held.get(id);
      if (one?.lease?.by !== by) return;
      one.lease = undefined;
      one.job = { ...one.job, tries: 0 };
    },
    async end(id, by, { state, at, error }) {
      const one = ofMine(id, by);
      one.job = { ...one.job, state, endedAt: at, ...(error === undefined ? {} : { error }) };
      one.request = undefined;
      grow(one, -one.requestBytes);
    },
    async remove(id) {
      const one = held.get(id);
      if (one !== undefined) drop(one);
    },
    async forget(before) {
      for (const one of held.values()) if ((one.job.endedAt ?? Number.POSITIVE_INFINITY) < before) drop(one);
    },
  };
}
