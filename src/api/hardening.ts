import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import type { FastifyRequest } from "fastify";
import type { Config } from "../config/schema.ts";
import type { ApiServer } from "./api-server.ts";
import { createAuthentication } from "./authentication.ts";
import { refusal } from "./problem.ts";

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
 * Headers, who may ask, and how often. Before any route.
 * @throws LogGuardianError LG_API_OPEN, LG_API_NO_TOKEN.
 */
export async function hardenServer(server: ApiServer, config: Config["api"]): Promise<void> {
  const authentication = createAuthentication(config);
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
    // What anybody may ask costs nothing, and one look at the page is dozens of its files.
    allowList: ({ routeOptions, is404 }) => !is404 && routeOptions.config.scope === undefined,
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
}
