import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCli } from "./cli.ts";
import { until } from "./until.ts";

/** Orchestrators kill after 30 s. */
const stoppedWithinMs = 30_000;

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asks for.
  body: any;
}

export interface Api {
  url: string;
  port: number;
  ask(
    path: string,
    options?: { method?: string; body?: unknown; token?: string; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** Everything it has logged. */
  log(): string;
  /** SIGTERM, or as a crash would. @returns its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A client of an API that listens. */
export function apiAt(port: number): Pick<Api, "url" | "port" | "ask"> {
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    async ask(path, { method, body, token, headers = {} } = {}) {
      const response = await fetch(`${url}${path}`, {
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.includes("json") === true;
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    },
  };
}

/** The API of a process with a configuration, once it is ready. */
export function apiOf({ log }: { log: string }): Pick<Api, "url" | "port" | "ask"> {
  const [, port] = /"port":(\d+),"msg":"The API listens\."/.exec(readFileSync(log, "utf8")) ?? [];
  return apiAt(Number(port));
}

/** `logguardian start api` with no configuration, in an empty folder, on a free port. */
export async function startEmbeddedApi(env: Record<string, string> = {}, args: string[] = []): Promise<Api> {
  const folder = mkdtempSync(join(tmpdir(), "logguardian-api-"));
  const started = startCli(["start", "api", "--port", "0", ...args], env, folder);
  const child = started.process;
  let log = "";
  child.stderr.on("data", (text) => {
    log += text;
  });
  const portIn = () => Number(/"port":(\d+),"msg":"LogGuardian runs\."/.exec(log)?.[1]);
  await until(() => child.exitCode !== null || portIn() > 0, "the API listens", 120_000);
  if (child.exitCode !== null) throw new Error(`The API does not start: ${log}`);
  return {
    ...apiAt(portIn()),
    log: () => log,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await once(child, "exit", { signal: AbortSignal.timeout(stoppedWithinMs) });
      }
      rmSync(folder, { recursive: true, force: true });
      return child.exitCode;
    },
  };
}
