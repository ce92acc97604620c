import { randomUUID } from "node:crypto";
import { type Static, Type } from "typebox";
import { sizeOf } from "../../config/load.ts";
import { isoOf } from "../anomaly-view.ts";
import type { ApiDeps, ApiServer } from "../api-server.ts";
import type { Caller } from "../authentication.ts";
import { askedOf, assertFits } from "../detection-result.ts";
import { type DetectionResult, detectBody, jobState, resultSchema } from "../detection-schemas.ts";
import type { Job } from "../job-store.ts";
import { onRedis, type Patience } from "../patience.ts";
import { refusal } from "../problem.ts";
import { byDefault, given, idPattern, named, optional, orNull, problems, ref } from "../schemas.ts";

const moment = (description: string) => orNull(Type.String({ description }));

export const jobSchema = named(
  "Job",
  Type.Object({
    id: Type.String(),
    state: jobState,
    created_at: Type.String(),
    started_at: moment("null: it waits"),
    ended_at: moment("null: it has not"),
    lines: Type.Integer(),
    windows: Type.Object({ done: Type.Integer(), total: Type.Integer() }),
    results: optional(
      Type.Array(Type.Unsafe<DetectionResult>({ $ref: `${resultSchema.$id}#` }), {
        description: "of a job that is done: one a window, in their order, a page of them",
      }),
    ),
    next_from: optional(
      orNull(Type.Integer(), {
        description: "beside results: from which the next page goes on; null: there is no more",
      }),
    ),
    inference_time: Type.Number({ description: "seconds for which the model was asked, so far" }),
    processing_time: Type.Number({ description: "seconds from its beginning to its end, so far" }),
    error: optional(Type.Object({ code: Type.String(), detail: Type.String() })),
  }),
);

const mostOfPage = 1000;
/** Larger numbers in an address are read as text. */
const mostFrom = 1_000_000_000;
/** A page ends with what reaches so many bytes: lines may be long. */
const pageBytes = 4 * 2 ** 20;
/** Redis serves nobody else meanwhile. */
const resultsAtOnce = 50;

const params = given({ id: Type.String({ pattern: idPattern }) });
const aJob = (description: string) => ({
  description,
  content: { "application/json": { schema: ref(jobSchema) } },
});

export function batchRoutes(
  server: ApiServer,
  { config, detection, jobs }: ApiDeps,
  { within, wake }: { within: Patience; wake: () => void },
): void {
  /** A job of the caller, or of anybody where an admin asks. @throws LogGuardianError LG_API_UNKNOWN. */
  async function jobOf(id: string, { name, scopes }: Caller): Promise<Job> {
    const job = await within(() => jobs.get(id), onRedis);
    if (job !== undefined && (job.owner === name || scopes.has("admin"))) return job;
    throw refusal(
      "LG_API_UNKNOWN",
      `There is no job ${id}.`,
      "POST /batch-detect makes one; it is forgotten when api.jobs.retention has passed since its end.",
    );
  }

  async function pageOf(id: string, from: number, limit: number): Promise<DetectionResult[]> {
    const page: DetectionResult[] = [];
    for (let bytes = 0; page.length < limit && bytes < pageBytes; ) {
      const some = await jobs.results(id, from + page.length, Math.min(resultsAtOnce, limit - page.length));
      if (some.length === 0) break;
      page.push(...some);
      bytes += JSON.stringify(some).length;
    }
    return page;
  }

  server.post(
    "/batch-detect",
    {
      bodyLimit: sizeOf(config.limits.batchBody),
      config: { scope: "detect" },
      schema: {
        tags: ["detection"],
        summary: "Judge many lines in the background",
        description:
          "As POST /detect. With Redis, a job outlives the process that works on it: another one goes on.",
        body: detectBody(config.limits.batchLines),
        response: {
          202: {
            ...aJob("It is queued."),
            headers: { location: { type: "string", description: "where to ask for it" } },
          },
          ...problems(413, 415, 422, 503),
        },
      },
    },
    async ({ body, caller }, reply) => {
      const { lines, options } = askedOf(body);
      assertFits(options, await detection.open());
      const id = randomUUID().replaceAll("-", "");
      const job = { id, owner: caller.name, createdAt: Date.now(), lines: lines.length };
      const windows = windowsOf(lines.length, options);
      await within(async (signal) => {
        await jobs.add({ ...job, windows }, body);
        // Nobody was told of it, nor will be.
        if (signal.aborted) await jobs.remove(id);
      }, onRedis);
      wake();
      const queued = {
        state: "queued",
        windows: { done: 0, total: windows },
        inferenceSeconds: 0,
        tries: 0,
      } as const;
      return reply
        .code(202)
        .header("location", `/batch-detect/${id}`)
        .send(viewOf({ ...job, ...queued }));
    },
  );

  server.get(
    "/batch-detect/:id",
    {
      config: { scope: "detect" },
      schema: {
        tags: ["detection"],
        summary: "How far a job is, and its results when it is done",
        description: "Results come page by page. A page may hold fewer than limit, where they are large.",
        params,
        querystring: given({
          from: byDefault(
            Type.Integer({
              minimum: 0,
              maximum: mostFrom,
              default: 0,
              description: "next_from of the page before",
            }),
          ),
          limit: byDefault(Type.Integer({ minimum: 1, maximum: mostOfPage, default: mostOfPage })),
        }),
        response: { 200: aJob("As it is."), ...problems(404, 503) },
      },
    },
    async ({ params: { id }, query: { from, limit }, caller }, reply) => {
      const job = await jobOf(id, caller);
      if (job.state !== "done") return reply.send(viewOf(job));
      const results = await within(() => pageOf(id, from, limit), onRedis);
      const next = from + results.length;
      return reply.send({ ...viewOf(job), results, next_from: next < job.windows.done ? next : null });
    },
  );

  server.delete(
    "/batch-detect/:id",
    {
      config: { scope: "detect" },
      schema: {
        tags: ["detection"],
        summary: "Cancel a job, and drop what was sent and found",
        params,
        response: {
          204: { description: "There is no such job any more.", type: "null" },
          ...problems(404, 503),
        },
      },
    },
    async ({ params: { id }, caller }, reply) => {
      await jobOf(id, caller);
      await within(() => jobs.remove(id), onRedis);
      return reply.code(204).send(null);
    },
  );
}

function viewOf(job: Job): Static<typeof jobSchema> {
  const { id, state, createdAt, startedAt, endedAt, lines, windows, inferenceSeconds, error } = job;
  return {
    id,
    state,
    created_at: isoOf(createdAt),
    started_at: startedAt === undefined ? null : isoOf(startedAt),
    ended_at: endedAt === undefined ? null : isoOf(endedAt),
    lines,
    windows,
    inference_time: inferenceSeconds,
    processing_time: startedAt === undefined ? 0 : ((endedAt ?? Date.now()) - startedAt) / 1000,
    ...(error === undefined ? {} : { error }),
  };
}

/** How many there will be: full ones, and one for a rest that stood in none. */
export function windowsOf(
  lines: number,
  { windowSize, stride }: { windowSize: number; stride: number },
): number {
  if (lines <= windowSize) return 1;
  const full = 1 + Math.floor((lines - windowSize) / stride);
  return full + (lines > windowSize + (full - 1) * stride ? 1 : 0);
}
