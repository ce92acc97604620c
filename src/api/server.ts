import { randomUUID } from "node:crypto";
import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyRequest } from "fastify";
import { durationOf, sizeOf } from "../config/load.ts";
import { readPem } from "../config/pem.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { createAdmission } from "./admission.ts";
import {
  anomalySchema,
  detailSchema,
  feedbackSchema,
  patternSchema,
  suppressionSchema,
} from "./anomaly-schemas.ts";
import type { ApiDeps, ApiServer } from "./api-server.ts";
import { createAuthentication } from "./authentication.ts";
import { createClosing } from "./closing.ts";
import { resultSchema } from "./detection-schemas.ts";
import { createJobRunner } from "./job-runner.ts";
import { collectMethods, refuseOtherMethods } from "./methods.ts";
import { documentRoutes, openApiRoute } from "./openapi.ts";
import { createPatience } from "./patience.ts";
import { isRefusal, problemOf, refusal, sendProblem } from "./problem.ts";
import { anomalyRoutes } from "./routes/anomalies.ts";
import { anomalyStreamRoutes } from "./routes/anomaly-stream.ts";
import { batchRoutes, jobSchema } from "./routes/batch-detect.ts";
import { detectRoutes } from "./routes/detect.ts";
import { feedbackRoutes } from "./routes/feedback.ts";
import { healthRoutes } from "./routes/health.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { pageRoutes } from "./routes/page.ts";
import { patternRoutes } from "./routes/patterns.ts";
import { problemSchema } from "./schemas.ts";
import { validatorCompiler } from "./validation.ts";

/** Parts of answers that the document names. */
const components = [
  problemSchema,
  resultSchema,
  jobSchema,
  feedbackSchema,
  anomalySchema,
  detailSchema,
  patternSchema,
  suppressionSchema,
];
/** A request must have come whole within. */
const requestWithinMs = 60_000;

/** The page may run its own scripts and ask this server, and nothing else. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", "data:"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
    requireTrustedTypesFor: ["'script'"],
  },
};

/**
 * The API as HTTP, not yet listening.
 * @throws LogGuardianError LG_API_OPEN, LG_API_NO_TOKEN, LG_CONFIG_PEM.
 */
export async function createApiServer(deps: ApiDeps): Promise<ApiServer> {
  const { config, logger, metrics } = deps;
  const authentication = createAuthentication(config);
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

  const methods = collectMethods(server);
  const closing = createClosing(server);
  await documentRoutes(server);
  await server.register(helmet, {
    contentSecurityPolicy,
    strictTransportSecurity: config.tls !== undefined,
    xFrameOptions: { action: "deny" },
  });
  if (config.corsOrigins.length > 0)
    await server.register(cors, { origin: config.corsOrigins, methods: ["GET", "POST", "DELETE"] });
  await server.register(rateLimit, {
    max: config.limits.requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: authentication.counterOf,
    errorResponseBuilder: (_, { max, ttl }) =>
      refusal("LG_API_RATE", `There were more than ${max} requests in a minute.`, "Ask less often.", {
        retryAfterSeconds: ttl / 1000,
      }),
  });
  // After the rate limit's, so that guesses at tokens count, too.
  server.addHook("onRoute", (route) => {
    const { scope } = route.config ?? {};
    if (scope === undefined) return;
    const authenticate = async (request: FastifyRequest) => {
      request.caller = authentication.callerOf(request, scope);
    };
    route.onRequest = [route.onRequest ?? [], authenticate].flat();
  });

  for (const schema of components) server.addSchema(schema);
  const within = createPatience(deps.health);
  const admission = createAdmission(config.limits.detections);
  metrics.onCollect(() => metrics.detections.set(admission.size()));
  openApiRoute(server);
  await pageRoutes(server);
  healthRoutes(server, deps);
  metricsRoutes(server, deps);
  detectRoutes(server, deps, { admission, closing });
  const runner = createJobRunner(deps, { retentionMs: durationOf(config.jobs.retention) });
  batchRoutes(server, deps, { within, wake: runner.wake });
  server.addHook("onListen", async () => runner.start());
  server.addHook("onClose", () => runner.stop());
  anomalyRoutes(server, deps, { within });
  anomalyStreamRoutes(server, deps, { within, closing });
  feedbackRoutes(server, deps, { within });
  patternRoutes(server, deps, { within });
  refuseOtherMethods(server, methods);
  await server.ready();
  return server;
}

/** @throws LogGuardianError LG_HTTP_PORT. */
export async function listen(server: ApiServer, { host, port }: ApiDeps["config"]): Promise<number> {
  try {
    await server.listen({ host, port });
  } catch (thrown) {
    throw new LogGuardianError(
      "LG_HTTP_PORT",
      `${host}:${port} cannot be listened on: ${reasonOf(thrown)}.`,
      "Set api.port (LOGGUARDIAN_API_PORT, --port) to a free port; 0 chooses one.",
      thrown,
    );
  }
  const [address] = server.addresses();
  return typeof address === "object" ? address.port : port;
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
