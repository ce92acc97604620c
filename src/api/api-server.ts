import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { Scope } from "../config/api-schema.ts";
import type { Config } from "../config/schema.ts";
import type { Health } from "../telemetry/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Feedback } from "../verdict/feedback.ts";
import type { Verdict } from "../verdict/verdict.ts";
import type { AnomalyIndex } from "./anomaly-index.ts";
import type { Caller } from "./authentication.ts";
import type { Detection } from "./detection.ts";
import type { JobStore } from "./job-store.ts";
import type { ConfiguredBundles } from "./suppressions.ts";
import type { TypeBoxTypes } from "./validation.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a caller must be allowed to; without one, everybody is answered. */
    scope?: Scope;
    /** Goes on for as long as the caller listens. */
    isStream?: boolean;
  }
  interface FastifyRequest {
    /** Of a route with a scope. */
    caller: Caller;
  }
}

/** What the routes are made of. */
export interface ApiDeps {
  config: Config["api"];
  logger: Logger;
  metrics: Metrics;
  health: Health;
  detection: Detection;
  index: AnomalyIndex;
  jobs: JobStore;
  bundles: ConfiguredBundles;
  /** Makes what a person said durable. */
  say: (feedback: Feedback) => Promise<void>;
  /** Takes in a verdict on lines that were sent here, where nobody else does. */
  record: (verdict: Verdict) => Promise<void>;
}

export type ApiServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypes
>;
