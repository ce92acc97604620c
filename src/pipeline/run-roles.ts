import { setTimeout as sleep } from "node:timers/promises";
import { durationOf } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { createHealth, type Health } from "../telemetry/health.ts";
import { serveTelemetry } from "../telemetry/http.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createPinoLogger } from "../telemetry/pino-logger.ts";
import { type PipelineRoleName, pipelineRoleNames, type RoleName } from "./names.ts";
import { createAlerterRole } from "./roles/alerter.ts";
import { createDetectorRole } from "./roles/detector.ts";
import { createIngesterRole } from "./roles/ingester.ts";
import { createWindowerRole } from "./roles/windower.ts";
import { openServices, type Role, type RoleContext, type Services } from "./services.ts";

type Creators = Readonly<
  Record<PipelineRoleName, (context: RoleContext) => Promise<Role>> & {
    api: (services: Services) => Promise<Role>;
  }
>;

export const roleCreators: Creators = {
  ingester: createIngesterRole,
  windower: createWindowerRole,
  detector: createDetectorRole,
  alerter: createAlerterRole,
  // The others need no HTTP server of its kind.
  api: async (services) => (await import("./roles/api.ts")).createApiRole(services),
};

const lookEveryMs = 1_000;
/** What is under way may wait for Kafka and Redis this long after the signal to stop. */
const patienceMs = 15_000;
/** When the process ends whatever hangs; orchestrators kill after 30 s. */
const graceMs = 20_000;
/** The same for a process of which something has failed: what hangs is likely that. */
const failedGraceMs = 5_000;

/**
 * Runs roles of all pipelines in this process until SIGTERM or SIGINT. Resolves when all have stopped, and have
 * committed all that they did.
 * @throws LogGuardianError where it cannot start, a role cannot go on, or not all could be committed (LG_COMMIT, LG_STOP).
 */
export async function runRoles(
  config: Config,
  roles: readonly RoleName[],
  creators = roleCreators,
): Promise<void> {
  const logger = createPinoLogger(config.log.level);
  const metrics = createMetrics();
  const stuckAfterMs = durationOf(config.limits.stuckAfter);
  const health = createHealth({
    onWait: (wait, waiting) => metrics.waiting.set({ wait }, waiting ? 1 : 0),
    stuckAfterMs,
  });
  const patience = new AbortController();
  const stopping = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const)
      process.on(signal, () => {
        resolve(signal);
        setTimeout(() => patience.abort(), patienceMs).unref();
      });
  });

  // Not ready before all roles are there, with their topics and models.
  const starting = health.unit("start");
  const server = await serveTelemetry({ metrics, health }, config.http);
  let services: Services | undefined;
  let failure: unknown;
  const started: Role[] = [];
  try {
    services = await openServices({ config, logger, health, metrics, signal: patience.signal });
    for (const role of pipelineRoleNames.filter((name) => roles.includes(name)))
      for (const [pipeline, options] of Object.entries(config.pipelines))
        started.push(await creators[role]({ services, pipeline, options }));
    if (roles.includes("api")) started.push(await creators.api(services));
    // Readers before writers: what is written first is read at once.
    for (const role of started.toReversed()) await role.start();
    starting.ended();
    logger.info("LogGuardian runs.", { roles, pipelines: Object.keys(config.pipelines), port: server.port });
    const ended = await Promise.race([
      stopping,
      whenStuck(health, stuckAfterMs),
      ...started.map(({ failed }) => failed),
    ]);
    if (ended instanceof Error) throw ended;
    logger.info("LogGuardian stops.", { signal: ended });
  } catch (thrown) {
    failure = thrown;
    patience.abort();
  }
  const stop = () =>
    stopAll(started, logger).finally(async () => {
      await services?.close();
      await server.close();
    });
  await stopInTime(stop, failure === undefined ? graceMs : failedGraceMs).catch((thrown) => {
    failure ??= thrown;
  });
  if (failure !== undefined) throw failure;
}

/** A process that makes no progress ends, whoever watches its health: another one may. */
async function whenStuck(health: Health, stuckAfterMs: number): Promise<Error> {
  while (health.state().live) await sleep(lookEveryMs, undefined, { ref: false });
  return new LogGuardianError(
    "LG_STUCK",
    `There is work, nothing to wait for, and no progress for ${stuckAfterMs / 1000} s: ${JSON.stringify(health.state().units)}.`,
    "Nothing is lost: what was not committed is done again after the next start. If it happens again, report it with the log; limits.stuckAfter sets the time.",
  );
}

/** Side by side: each commits only what is its own. @throws what the first threw that did not stop in order. */
async function stopAll(roles: readonly Role[], logger: Logger): Promise<void> {
  let failure: unknown;
  await Promise.all(
    roles.map((role) =>
      role.stop().catch((thrown) => {
        failure ??= thrown;
        logger.warn("A role did not stop in order.", { error: reasonOf(thrown) });
      }),
    ),
  );
  if (failure !== undefined) throw failure;
}

async function stopInTime(stop: () => Promise<void>, withinMs: number): Promise<void> {
  const ended = new AbortController();
  const late = sleep(withinMs, undefined, { signal: ended.signal }).then(() => {
    throw new LogGuardianError(
      "LG_STOP",
      `LogGuardian did not stop within ${withinMs / 1000} s: what it waits for does not answer.`,
      "Nothing is lost: what was not committed is done again after the next start.",
    );
  });
  try {
    await Promise.race([stop(), late]);
  } finally {
    ended.abort();
  }
}
