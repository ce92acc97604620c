import { authorizationOf } from "../authorization.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { retry } from "../retry.ts";
import type { Health } from "../telemetry/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Alert } from "./alert.ts";

const timeoutMs = 10_000;
const alertsPerRequest = 100;

export interface Alertmanager {
  /**
   * Resolves when every Alertmanager of the cluster was offered the alerts and at least one took them.
   * Waits as long as none answers. @throws LogGuardianError LG_ALERTMANAGER_REFUSED.
   */
  post(alerts: readonly Alert[]): Promise<void>;
  /** Of the first one. @throws LogGuardianError LG_ALERTMANAGER_AWAY, LG_ALERTMANAGER_REFUSED. */
  version(): Promise<string>;
}

export function createAlertmanager(
  config: {
    urls: readonly string[];
    username?: string | undefined;
    password?: string | undefined;
    bearerToken?: string | undefined;
  },
  deps: { logger: Logger; health: Health; signal?: AbortSignal },
): Alertmanager {
  const { logger, health, signal } = deps;
  const headers = { "content-type": "application/json", ...authorizationOf(config) };

  async function postTo(url: string, alerts: readonly Alert[]): Promise<void> {
    const response = await fetch(`${url.replace(/\/+$/, "")}/api/v2/alerts`, {
      method: "POST",
      headers,
      body: JSON.stringify(alerts),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answer = await response.text();
    if (response.ok) return;
    if (response.status >= 500 || response.status === 429) throw new Error(`it answers ${response.status}`);
    throw refused(url, response.status, answer);
  }

  async function postToAll(alerts: readonly Alert[]): Promise<void> {
    const outcomes = await Promise.allSettled(config.urls.map((url) => postTo(url, alerts)));
    const failures = outcomes.filter((outcome) => outcome.status === "rejected");
    for (const { reason } of failures.length < outcomes.length ? failures : [])
      logger.warn("One Alertmanager of several does not take alerts.", { error: reasonOf(reason) });
    if (failures.length === outcomes.length && failures[0] !== undefined) throw failures[0].reason;
  }

  return {
    async version() {
      const [url = ""] = config.urls;
      const response = await fetch(`${url.replace(/\/+$/, "")}/api/v2/status`, {
        headers,
        signal: AbortSignal.timeout(timeoutMs),
      }).catch((thrown) => {
        throw new LogGuardianError(
          "LG_ALERTMANAGER_AWAY",
          `Alertmanager at ${url} does not answer: ${reasonOf(thrown)}.`,
          "Start it, or correct alertmanager.urls.",
          thrown,
        );
      });
      if (!response.ok) throw refused(url, response.status, await response.text());
      const { versionInfo } = (await response.json()) as { versionInfo?: { version?: string } };
      return versionInfo?.version ?? "unknown version";
    },
    async post(alerts) {
      for (let from = 0; from < alerts.length && config.urls.length > 0; from += alertsPerRequest) {
        let endWait: (() => void) | undefined;
        try {
          await retry(() => postToAll(alerts.slice(from, from + alertsPerRequest)), {
            signal,
            isTransient: (thrown) => !(thrown instanceof LogGuardianError),
            onFailure(thrown) {
              if (endWait !== undefined) return;
              logger.warn("Alertmanager does not answer; alerts wait.", { error: reasonOf(thrown) });
              endWait = health.wait("alertmanager-away");
            },
          });
        } finally {
          endWait?.();
        }
      }
    },
  };
}

function refused(url: string, status: number, answer: string): LogGuardianError {
  return new LogGuardianError(
    "LG_ALERTMANAGER_REFUSED",
    `Alertmanager at ${url} answers ${status}: ${answer.slice(0, 300)}.`,
    "Check alertmanager.urls and its credentials, and the pipeline's alert.labels.",
  );
}
