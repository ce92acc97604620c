import type { Config } from "../config/schema.ts";
import { reasonOf } from "../errors.ts";
import { createHealth } from "../telemetry/health.ts";
import { serveTelemetry } from "../telemetry/http.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createPinoLogger } from "../telemetry/pino-logger.ts";
import { type RoleName, roleNames } from "./names.ts";
import { createAlerterRole } from "./roles/alerter.ts";
import { createDetectorRole } from "./roles/detector.ts";
import { createIngesterRole } from "./roles/ingester.ts";
import { createWindowerRole } from "./roles/windower.ts";
import { openServices, type Role, type RoleContext, type Services } from "./services.ts";

const creators: Record<RoleName, (context: RoleContext) => Promise<Role>> = {
  ingester: createIngesterRole,
  windower: createWindowerRole,
  detector: createDetectorRole,
  alerter: createAlerterRole,
};

/** What is under way may end within this time after the signal to stop; orchestrators kill after 30 s. */
const graceMs = 20_000;

/**
 * Runs roles of all pipelines in this process until SIGTERM or SIGINT, then stops them in the order of the data's way,
 * so that each can hand on what it has. Resolves when all have stopped.
 * @throws LogGuardianError where it cannot start, or a role cannot go on.
 */
export async function runRoles(config: Config, roles: readonly RoleName[]): Promise<void> {
  const logger = createPinoLogger(config.log.level);
  const metrics = createMetrics();
  const health = createHealth({
    onWait: (wait, waiting) => metrics.waiting.set({ wait }, waiting ? 1 : 0),
  });
  const patience = new AbortController();
  const stopping = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const)
      process.on(signal, () => {
        resolve(signal);
        setTimeout(() => patience.abort(), graceMs).unref();
      });
  });

  const server = await serveTelemetry({ metrics, health }, config.http);
  let services: Services | undefined;
  const started: Role[] = [];
  try {
    services = await openServices({ config, logger, health, metrics, signal: patience.signal });
    for (const role of roleNames.filter((name) => roles.includes(name)))
      for (const [pipeline, options] of Object.entries(config.pipelines))
        started.push(await creators[role]({ services, pipeline, options }));
    // Readers before writers: what is written first is read at once.
    for (const role of started.toReversed()) await role.start();
    logger.info("LogGuardian runs.", { roles, pipelines: Object.keys(config.pipelines), port: server.port });
    const ended = await Promise.race([stopping, ...started.map(({ failed }) => failed)]);
    if (ended instanceof Error) throw ended;
    logger.info("LogGuardian stops.", { signal: ended });
  } finally {
    await stopAll(started, logger);
    await services?.close();
    await server.close();
  }
}

async function stopAll(roles: readonly Role[], logger: Logger): Promise<void> {
  for (const role of roles)
    await role
      .stop()
      .catch((thrown) => logger.warn("A role did not stop in order.", { error: reasonOf(thrown) }));
}
