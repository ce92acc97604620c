import { randomUUID } from "node:crypto";
import fastify, { type FastifyRequest } from "fastify";
import { sizeOf } from "../config/load.ts";
import { readPem } from "../config/pem.ts";
import type { ApiDeps, ApiServer } from "./api-server.ts";
import { isRefusal, refusal, sendProblem } from "./problem.ts";
import { answerToUnreadable } from "./unreadable-request.ts";
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
    frameworkErrors: (thrown, { id }, reply) => void sendProblem(reply.header("x-request-id", id), thrown),
    clientErrorHandler(thrown, socket) {
      if (!socket.writable) return void socket.destroy();
      const id = randomUUID();
      logger.debug("A request could not be read.", { request: id, error: thrown });
      socket.end(answerToUnreadable(thrown, id));
    },
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
  // Before a body is read.
  server.addHook("preParsing", async ({ is404, url }) => {
    if (!is404) return;
    const [path] = url.split("?");
    throw refusal("LG_API_UNKNOWN", `There is no ${path}.`, "GET /openapi.json lists what there is.");
  });
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
