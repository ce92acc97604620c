import type { ClientRequestArgs } from "node:http";
import http from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import { authorizationOf } from "../authorization.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { Alert } from "./alert.ts";

const timeoutMs = 10_000;
/** What it answers where it is the alerts that are at fault. */
const aboutAlerts = [400, 422];
const alertsPerRequest = 100;

/** How one is reached. */
export interface AlertmanagerOptions {
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  bearerToken?: string | undefined;
  /** Contents of PEM files. */
  tls?: { ca?: string; cert?: string; key?: string } | undefined;
}

export interface Alertmanager {
  url: string;
  /** Resolves when it took all of them. @throws LogGuardianError LG_ALERTMANAGER_AWAY, LG_ALERTMANAGER_REFUSED, LG_ALERTMANAGER_ALERTS. */
  post(alerts: readonly Alert[]): Promise<void>;
  /** Whom it would tell of an alert that it has. @throws as `post`. */
  receiversOf(labels: Record<string, string>): Promise<string[]>;
  /** @throws as `post`. */
  version(): Promise<string>;
}

export function createAlertmanager(options: AlertmanagerOptions): Alertmanager {
  const { url, tls } = options;
  const base = url.replace(/\/+$/, "");
  const { request } = base.startsWith("https:") ? https : http;
  const headers = { "content-type": "application/json", ...authorizationOf(options) };

  /** What it answers. @throws LogGuardianError. */
  async function ask(path: string, body?: string): Promise<string> {
    const { status, answer } = await send(`${base}/api/v2/${path}`, body).catch((thrown) => {
      throw away(url, reasonOf(thrown), thrown);
    });
    if (status >= 200 && status < 300) return answer;
    if (status >= 500 || status === 429) throw away(url, `it answers ${status}`);
    throw aboutAlerts.includes(status) ? notTaken(url, answer) : refused(url, status, answer);
  }

  /** fetch() takes no certificates. */
  function send(target: string, body: string | undefined): Promise<{ status: number; answer: string }> {
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(timeoutMs);
      const args: ClientRequestArgs = {
        method: body === undefined ? "GET" : "POST",
        headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
        // A connection that is kept may be one that the other side has closed.
        agent: false,
        signal,
        ...tls,
      };
      request(target, args, (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, answer }), reject);
      })
        .on("error", (thrown) =>
          reject(signal.aborted ? new Error(`no answer in ${timeoutMs / 1000} s`) : thrown),
        )
        .end(body);
    });
  }

  return {
    url,
    async post(alerts) {
      for (let from = 0; from < alerts.length; from += alertsPerRequest)
        await ask("alerts", JSON.stringify(alerts.slice(from, from + alertsPerRequest)));
    },
    async receiversOf(labels) {
      const filters = Object.entries(labels).map(([name, value]): [string, string] => [
        "filter",
        `${name}=${JSON.stringify(value)}`,
      ]);
      const found = JSON.parse(await ask(`alerts?${new URLSearchParams(filters)}`)) as {
        receivers: { name: string }[];
      }[];
      return [...new Set(found.flatMap(({ receivers }) => receivers.map(({ name }) => name)))];
    },
    async version() {
      const { versionInfo } = JSON.parse(await ask("status")) as { versionInfo?: { version?: string } };
      return versionInfo?.version ?? "unknown version";
    },
  };
}

/** Whether waiting may help: until it is back, or lets us in again. */
export function isAway(thrown: unknown): boolean {
  return (
    thrown instanceof LogGuardianError &&
    (thrown.code === "LG_ALERTMANAGER_AWAY" || thrown.code === "LG_ALERTMANAGER_REFUSED")
  );
}

function away(url: string, reason: string, cause?: unknown): LogGuardianError {
  return new LogGuardianError(
    "LG_ALERTMANAGER_AWAY",
    `Alertmanager at ${url} does not take alerts: ${reason}.`,
    "Start it, or correct alertmanager.urls and alertmanager.tls.",
    cause,
  );
}

function refused(url: string, status: number, answer: string): LogGuardianError {
  return new LogGuardianError(
    "LG_ALERTMANAGER_REFUSED",
    `Alertmanager at ${url} answers ${status}: ${answer.slice(0, 300)}.`,
    "Check alertmanager.urls and its credentials, and the proxy before it.",
  );
}

function notTaken(url: string, answer: string): LogGuardianError {
  return new LogGuardianError(
    "LG_ALERTMANAGER_ALERTS",
    `Alertmanager at ${url} does not take an alert: ${answer.slice(0, 300)}.`,
    "Check the pipeline's alert.labels and api.publicUrl, and the proxy before Alertmanager.",
  );
}

/** What each answered. */
export interface Answer {
  url: string;
  /** Why it did not take them. */
  error?: unknown;
}

/** Offers alerts to each once. */
export function offerToAll(
  alertmanagers: readonly Alertmanager[],
  alerts: readonly Alert[],
): Promise<Answer[]> {
  return Promise.all(
    alertmanagers.map(({ url, post }) =>
      post(alerts).then(
        () => ({ url }),
        (error) => ({ url, error }),
      ),
    ),
  );
}
