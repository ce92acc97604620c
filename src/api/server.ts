import { durationOf, sizeOf } from "../config/load.ts";
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
import { boundBodies } from "./body-budget.ts";
import { createClosing } from "./closing.ts";
import { resultSchema } from "./detection-schemas.ts";
import { hardenServer } from "./hardening.ts";
import { createHttp } from "./http.ts";
import { createJobRunner } from "./job-runner.ts";
import { collectMethods, refuseOtherMethods } from "./methods.ts";
import { documentRoutes, openApiRoute } from "./openapi.ts";
import { createPatience } from "./patience.ts";
import { anomalyRoutes } from "./routes/anomalies.ts";
import { anomalyStreamRoutes } from "./routes/anomaly-stream.ts";
import { batchRoutes, jobSchema } from "./routes/batch-detect.ts";
import { detectRoutes } from "./routes/detect.ts";
import { feedbackRoutes } from "./routes/feedback.ts";
import { healthRoutes } from "./routes/health.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { pageRoutes } from "./routes/page.ts";
import { patternRoutes } from "./routes/patterns.ts";
import { createScans } from "./scans.ts";
import { problemSchema } from "./schemas.ts";

/** The largest bodies that are held: read, each takes several times as much. */
const bodiesAtOnce = 4;

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

/**
 * The API as HTTP, not yet listening.
 * @throws LogGuardianError LG_API_OPEN, LG_API_NO_TOKEN, LG_CONFIG_PEM.
 */
export async function createApiServer(deps: ApiDeps): Promise<ApiServer> {
  const { config, metrics } = deps;
  const server = createHttp(deps);
  const methods = collectMethods(server);
  const closing = createClosing(server);
  await documentRoutes(server);
  await hardenServer(server, config);
  boundBodies(server, bodiesAtOnce * Math.max(sizeOf(config.limits.body), sizeOf(config.limits.batchBody)));
  for (const schema of components) server.addSchema(schema);

  const within = createPatience(deps.health);
  const scans = createScans({ index: deps.index, within });
  const admission = createAdmission(config.limits.detections, {
    what: "requests for detection",
    remedy: "Try again, or send it to POST /batch-detect.",
  });
  metrics.onCollect(() => metrics.detections.set(admission.size()));
  // Whoever says something sees what it changed.
  const sayAndForget: ApiDeps["say"] = async (feedback) => {
    await deps.say(feedback);
    scans.forget();
  };
  const runner = createJobRunner(deps, { retentionMs: durationOf(config.jobs.retention) });
  server.addHook("onListen", async () => runner.start());
  server.addHook("onClose", () => runner.stop());

  openApiRoute(server);
  await pageRoutes(server);
  healthRoutes(server, deps);
  metricsRoutes(server, deps);
  detectRoutes(server, deps, { admission, closing });
  batchRoutes(server, deps, { within, wake: runner.wake });
  anomalyRoutes(server, deps, { within });
  anomalyStreamRoutes(server, deps, { within, closing });
  feedbackRoutes(server, { ...deps, say: sayAndForget }, { within });
  patternRoutes(server, deps, { scans });
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
