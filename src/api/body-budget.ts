import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiServer } from "./api-server.ts";
import { refusal } from "./problem.ts";
import { whenOver } from "./when-over.ts";

const retryAfterSeconds = 5;
/** Who takes nothing of an answer for so long gets no more of it. */
const takenWithinMs = 60_000;

/**
 * What callers send is held until they are answered, and an answer until they have taken it: no more is read while all of
 * it at once has no room. Before a body is read, and after it is known who sends it.
 */
export function boundBodies(server: ApiServer, mostBytes: number): void {
  let taken = 0;
  server.addHook("preParsing", async (request, reply) => {
    const bytes = bytesOf(request);
    if (bytes === 0) return;
    if (taken + bytes > mostBytes)
      throw refusal("LG_API_BUSY", "There is no room for another body.", "Try again, or send less at once.", {
        retryAfterSeconds,
      });
    take(reply, bytes);
  });
  server.addHook("onSend", async (_, reply, answer) => {
    if (typeof answer !== "string") return;
    take(reply, answer.length);
    reply.raw.setTimeout(takenWithinMs);
  });

  function take(reply: FastifyReply, bytes: number): void {
    taken += bytes;
    whenOver(reply, () => {
      taken -= bytes;
    });
  }
}

/** At most, where it does not say. */
function bytesOf({ headers, routeOptions: { bodyLimit } }: FastifyRequest): number {
  const length = headers["content-length"];
  if (length === undefined) return headers["transfer-encoding"] === undefined ? 0 : bodyLimit;
  // What is too large is refused without being read.
  return Number(length) > bodyLimit ? 0 : Number(length);
}
