import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Type } from "typebox";
import type { ChangePoint } from "../anomaly-index.ts";
import { assertVisible } from "../anomaly-query.ts";
import { pipelineName } from "../anomaly-schemas.ts";
import { viewOf } from "../anomaly-view.ts";
import type { ApiDeps, ApiServer } from "../api-server.ts";
import { type Caller, maySee } from "../authentication.ts";
import type { Closing } from "../closing.ts";
import { onRedis, type Patience } from "../patience.ts";
import { refusal } from "../problem.ts";
import { given, optional, problems } from "../schemas.ts";
import { whenOver } from "../when-over.ts";

const lookEveryMs = 500;
/** Proxies end what is silent for longer. */
const beatEveryMs = 15_000;
const atOnce = 100;

const description = `Server-sent events, from now on, or behind the event that the header Last-Event-ID names:

- \`anomaly\`: a new one, a new revision of one (its \`stage\` and \`verdict\` may have changed), or what was said of one;
  its data is an Anomaly as \`GET /anomalies\` lists it. Between two looks only the newest of each is sent.
- \`reset\`: what was listed before means nothing any more, as the index was made anew; list it again.

A browser's EventSource sends no token: read the answer's body of fetch() instead.`;

const stream = Type.Unsafe<Readable>({ type: "string" });

export function anomalyStreamRoutes(
  server: ApiServer,
  { index, config, logger }: ApiDeps,
  { within, closing }: { within: Patience; closing: Closing },
): void {
  let listeners = 0;

  async function* events(caller: Caller, pipeline: string | undefined, from: ChangePoint, isReset: boolean) {
    let at = from;
    let silentSince = Date.now();
    try {
      // So that a listener that saw nothing yet can come back to here.
      yield isReset ? eventOf("reset", {}, at) : `: ready\nid: ${textOf(at)}\n\n`;
      while (!closing.atOnce.aborted) {
        const { now, changed } = await index.changes(at, atOnce);
        if (isBehind(now, at)) {
          at = now;
          yield eventOf("reset", {}, at);
        }
        for (const one of changed) {
          at = { ...at, number: one.number };
          if (!maySee(caller, one.summary.pipeline)) continue;
          if (pipeline !== undefined && one.summary.pipeline !== pipeline) continue;
          silentSince = Date.now();
          yield eventOf("anomaly", viewOf(one), at);
        }
        if (changed.length === atOnce) continue;
        if (Date.now() - silentSince > beatEveryMs) {
          silentSince = Date.now();
          yield ": still here\n\n";
        }
        await sleep(lookEveryMs, undefined, { signal: closing.atOnce }).catch(() => undefined);
      }
    } catch (error) {
      logger.warn("A stream of anomalies ended.", { error });
    }
  }

  server.get(
    "/anomalies/stream",
    {
      // Nobody would listen to it, and it would go on.
      exposeHeadRoute: false,
      config: { scope: "read", isStream: true },
      schema: {
        tags: ["anomalies"],
        summary: "What is found, as it comes",
        description,
        querystring: given({ pipeline: optional(pipelineName) }),
        headers: Type.Object({
          "last-event-id": optional(Type.String({ description: "id of the last event seen" })),
        }),
        response: {
          200: { description: "It goes on.", content: { "text/event-stream": { schema: stream } } },
          ...problems(503),
        },
      },
    },
    async ({ caller, query: { pipeline }, headers }, reply) => {
      if (pipeline !== undefined) assertVisible(caller, pipeline);
      if (listeners >= config.limits.streams)
        throw refusal("LG_API_BUSY", `${listeners} callers listen, and no more are taken.`, "Try again.", {
          retryAfterSeconds: 30,
        });
      listeners++;
      whenOver(reply, () => {
        listeners--;
      });
      const { now } = await within(() => index.changes(undefined, 0), onRedis);
      const last = pointOf(headers["last-event-id"]);
      const isReset = last !== undefined && isBehind(now, last);
      const from = last === undefined || isReset ? now : last;
      return reply
        .type("text/event-stream; charset=utf-8")
        .header("x-accel-buffering", "no")
        .header("connection", "close")
        .send(Readable.from(events(caller, pipeline, from, isReset), { highWaterMark: 1 }));
    },
  );
}

/** Whether the index was lost since then, or what it took last. */
function isBehind(now: ChangePoint, at: ChangePoint): boolean {
  return now.incarnation !== at.incarnation || now.number < at.number;
}

function eventOf(name: string, data: unknown, at: ChangePoint): string {
  return `event: ${name}\nid: ${textOf(at)}\ndata: ${JSON.stringify(data)}\n\n`;
}

function textOf({ incarnation, number }: ChangePoint): string {
  return `${incarnation}.${number}`;
}

/** As it came from us; anything else is a point of nowhere. */
function pointOf(text: string | undefined): ChangePoint | undefined {
  if (text === undefined || text === "") return undefined;
  const [incarnation = "", number = ""] = text.split(".");
  return { incarnation, number: /^\d{1,15}$/.test(number) ? Number(number) : 0 };
}
