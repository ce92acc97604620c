import { randomUUID } from "node:crypto";
import fastify, { type FastifyRequest } from "fastify";
import { sizeOf } from "../config/load.ts";
import { readPem } from "../config/pem.ts";
import type { ApiDeps, ApiServer } from "./api-server.ts";
import { isRefusal, problemOf, refusal, sendProblem } from "./problem.ts";
import { validatorCompiler } from "./validation.ts";

/** A request must have come whole within. */
const requestWithinMs = 60_000;

/** A server without routes: how requests are checked, named, counted, and refused. @throws LogGuardianError LG_CONFIG_PEM. */
export function createHttp({
  config,
  logger,
  metrics,
}: Pick<ApiDeps, "config" | "logger" | "metrics">): ApiServer {
  const server = fastify({
    bodyLimit: sizeOf(config.limits.body),
    requestTimeout: requestWithinMs,
    // What is being answered ends first.
    forceCloseConnections: "idle",
    genReqId: requestIdOf,
    frameworkErrors: (thrown, _, reply) => void sendProblem(reply, thrown),
    clientErrorHandler: (_, socket) => void refuseRaw(socket),
    ...(config.tls === undefined ? {} : { https: readPem(config.tls, "api.tls") }),
  }) as unknown as ApiServer;
  server.removeContentTypeParser("text/plain");
  server.setValidatorCompiler(validatorCompiler);
  // Answers are ours: their schemas describe them, and cut nothing out of them.
  server.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  server.setErrorHandler((thrown, request, reply) => {
    if (!isRefusal(thrown))
      logger.warn("A request could not be answered.", {
        request: request.id,
        route: routeOf(request),
        error: thrown,
      });
    return sendProblem(reply, thrown);
  });
  server.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      refusal(
        "LG_API_UNKNOWN",
        `There is no ${request.url.split("?")[0]}.`,
        "GET /openapi.json lists what there is.",
      ),
    ),
  );
  server.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    // What it answers is for this caller alone.
    if (request.routeOptions.config.scope !== undefined) reply.header("cache-control", "no-store");
  });
  server.addHook("onResponse", async (request, reply) => {
    const [method, route, status] = [request.method, routeOf(request), reply.statusCode];
    logger.debug("A request was answered.", { request: request.id, method, route, status });
    metrics.requests.inc({ method, route, status: String(status) });
    if (request.routeOptions.config.isStream === true) return;
    metrics.requestSeconds.observe({ method, route }, reply.elapsedTime / 1000);
  });
  return server;
}

/** By which the log and the caller name a request: the caller's own, where it is harmless. */
function requestIdOf({ headers }: { headers: Record<string, unknown> }): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

function routeOf({ routeOptions }: FastifyRequest): string {
  return routeOptions.url ?? "none";
}

/** What is no HTTP has no request to answer. */
function refuseRaw(socket: NodeJS.WritableStream & { writable: boolean; destroy(): void }): void {
  if (!socket.writable) return void socket.destroy();
  const { problem } = problemOf(refusal("LG_API_INVALID", "This is no HTTP request.", "Correct it."));
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
