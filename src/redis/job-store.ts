import type { DetectBody, DetectionResult, JobState } from "../api/detection-schemas.ts";
import { type Job, type JobStore, jobLost, jobTooLarge, noRoomForJobs } from "../api/job-store.ts";
import { packJson, unpackJson } from "../packed-json.ts";
import type { RedisClient } from "./client.ts";

const fields = [
  ...["owner", "state", "created", "started", "ended", "lines"],
  ...["done", "total", "seconds", "tries", "error"],
];

/** Jobs of the API in Redis, on one shard. @param name of the installation, unique in that Redis. */
export function createRedisJobs(
  redis: RedisClient,
  name: string,
  { maxBytes }: { maxBytes: number },
): JobStore {
  const key = (part: string) => `lg:v1:{${name}:jobs}:${part}`;
  const [bytes, open, ended] = [key("bytes"), key("open"), key("ended")];
  const jobKey = (id: string) => key(`job:${id}`);
  const resultsKey = (id: string) => key(`results:${id}`);

  async function get(id: string): Promise<Job | undefined> {
    return jobIn(id, (await redis.script("job-get", [jobKey(id)], fields)) as (string | null)[]);
  }

  async function remove(id: string): Promise<void> {
    await redis.script("job-remove", [bytes, open, ended, jobKey(id), resultsKey(id)], [id]);
  }

  return {
    get,
    async add({ id, owner, createdAt, lines, windows }, request) {
      const packed = await packJson(request);
      const outcome = await redis.script(
        "job-add",
        [bytes, open, jobKey(id)],
        [
          ...[maxBytes, id, packed, "owner", owner, "state", "queued", "created", createdAt],
          ...["lines", lines, "total", windows, "done", 0, "seconds", 0, "tries", 0],
        ],
      );
      if (outcome === "full") throw noRoomForJobs();
    },
    async results(id, from, limit) {
      const range = [from, from + limit - 1];
      const texts = (await redis.script("job-results", [resultsKey(id)], range)) as string[];
      return texts.map((text) => JSON.parse(text) as DetectionResult);
    },
    async claim(by, now, leaseMs) {
      for (const id of (await redis.script("job-ids", [open], ["+inf"])) as string[]) {
        if ((await redis.script("job-claim", [jobKey(id)], [by, now, now + leaseMs])) !== 1) continue;
        const [job, request] = await Promise.all([get(id), redis.field(jobKey(id), "request")]);
        // Removed meanwhile.
        if (job?.state !== "running" || request === undefined) continue;
        return { job, request: await unpackJson<DetectBody>(request) };
      }
      return undefined;
    },
    async report(id, by, { from, results, inferenceSeconds }, leaseUntil) {
      const outcome = await redis.script(
        "job-report",
        [bytes, jobKey(id), resultsKey(id)],
        [
          by,
          leaseUntil,
          maxBytes,
          inferenceSeconds,
          from,
          ...results.map((result) => JSON.stringify(result)),
        ],
      );
      if (outcome === "lost") throw jobLost(id);
      if (outcome === "full") throw jobTooLarge();
    },
    async release(id, by) {
      await redis.script("job-release", [jobKey(id)], [by]);
    },
    async end(id, by, { state, at, error }) {
      const outcome = await redis.script(
        "job-end",
        [bytes, open, ended, jobKey(id)],
        [by, id, at, state, error === undefined ? "" : JSON.stringify(error)],
      );
      if (outcome === "lost") throw jobLost(id);
    },
    remove,
    async forget(before) {
      for (const id of (await redis.script("job-ids", [ended], [before - 1])) as string[]) await remove(id);
    },
  };
}

function jobIn(id: string, found: (string | null)[]): Job | undefined {
  const value = new Map(fields.map((field, at) => [field, found[at] ?? undefined]));
  const [owner, started, ended, error] = ["owner", "started", "ended", "error"].map((field) =>
    value.get(field),
  );
  if (owner === undefined) return undefined;
  const number = (field: string) => Number(value.get(field) ?? 0);
  return {
    ...{ id, owner },
    state: value.get("state") as JobState,
    createdAt: number("created"),
    ...(started === undefined ? {} : { startedAt: Number(started) }),
    ...(ended === undefined ? {} : { endedAt: Number(ended) }),
    lines: number("lines"),
    windows: { done: number("done"), total: number("total") },
    inferenceSeconds: number("seconds"),
    tries: number("tries"),
    ...(error === undefined ? {} : { error: JSON.parse(error) as NonNullable<Job["error"]> }),
  };
}
