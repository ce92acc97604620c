import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiServer } from "./api-server.ts";
import { refusal } from "./problem.ts";
import { whenOver } from "./when-over.ts";

const retryAfterSeconds = 5;
/** Who takes nothing of an answer for so long gets no more of it. */
const idleMs = 60_000;

/**
 * What callers send is held until they are answered, and answers until they are taken: each of both, all at once, must have
 * room. Before a body is read, and after it is known who sends it; what anybody may ask is always answered.
 */
export function boundBodies(server: ApiServer, mostBytes: number): void {
  const [bodies, answers] = [createBudget(), createBudget()];
  server.addHook("preParsing", async (request, reply) => {
    const bytes = bytesOf(request);
    if (bodies.taken() + bytes > mostBytes && bytes > 0) throw noRoom("There is no room for another body.");
    if (answers.taken() > mostBytes && request.routeOptions.config.scope !== undefined)
      throw noRoom("Too many answers are not taken yet.");
    if (bytes > 0) bodies.take(reply, bytes);
  });
  server.addHook("onSend", async (_, reply, answer) => {
    if (typeof answer !== "string") return;
    answers.take(reply, answer.length);
    reply.raw.setTimeout(idleMs);
  });
}

function createBudget() {
  let taken = 0;
  return {
    taken: () => taken,
    take(reply: FastifyReply, bytes: number): void {
      taken += bytes;
      whenOver(reply, () => {
        taken -= bytes;
      });
    },
  };
}

function noRoom(what: string) {
  return refusal("LG_API_BUSY", what, "Try again, or send and ask for less at once.", { retryAfterSeconds });
}

/** At most, where it does not say. */
function bytesOf({ headers, routeOptions: { bodyLimit } }: FastifyRequest): number {
  const length = headers["content-length"];
  if (length === undefined) return headers["transfer-encoding"] === undefined ? 0 : bodyLimit;
  // What is too large is refused without being read.
  return Number(length) > bodyLimit ? 0 : Number(length);
}
