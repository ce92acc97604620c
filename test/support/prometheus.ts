import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { freePorts } from "../../scripts/services.mjs";
import { until } from "./until.ts";

export interface Series {
  metric: Record<string, string>;
  /** Time in seconds, and value. */
  values: [number, string][];
}

export interface Prometheus {
  url: string;
  /** What an expression gives from `start` to now, every second. */
  range(expr: string, start: number): Promise<Series[]>;
  /** What a list of the HTTP API holds, such as `targets`. */
  get(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** A real Prometheus on a free port. @param rules text of a rules file. */
export async function startPrometheus(config: Record<string, unknown>, rules: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "logguardian-prometheus-"));
  const [port] = await freePorts(1);
  const [configFile, log] = [join(folder, "prometheus.yml"), join(folder, "log")];
  writeFileSync(join(folder, "rules.yml"), rules);
  writeFileSync(configFile, stringify({ ...config, rule_files: ["rules.yml"] }));
  const file = openSync(log, "w");
  const child = spawn(
    "prometheus",
    [
      ...[`--config.file=${configFile}`, `--storage.tsdb.path=${join(folder, "data")}`],
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ["ignore", file, file] },
  );
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  const get = async (path: string): Promise<unknown> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: unknown; error?: string };
    if (answer.error !== undefined) throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  const stop = async () => {
    child.kill();
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  await until(
    () => {
      if (child.exitCode !== null)
        throw new Error(`Prometheus ends: ${readFileSync(log, "utf8").slice(-2000)}`);
      return fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    },
    "Prometheus is ready",
    60_000,
  );
  return {
    url,
    get,
    stop,
    async range(expr, start) {
      const query = new URLSearchParams({
        query: expr,
        start: `${start}`,
        end: `${Date.now() / 1000}`,
        step: "1",
      });
      return ((await get(`query_range?${query}`)) as { result: Series[] }).result;
    },
  };
}
