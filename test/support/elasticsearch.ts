import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fetchJars, freePorts } from "../../scripts/services.mjs";
import { until } from "./until.ts";

const sources = join(import.meta.dirname, "java");

export interface Elasticsearch {
  /** A request with a body in JSON; throws what it answers where it refuses. */
  ask(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Writes documents in this order, as a connector does: a later version of one overwrites. */
  write(
    index: string,
    documents: readonly { id: string; version: number; document: unknown }[],
  ): Promise<void>;
  stop(): Promise<void>;
}

/** A real Elasticsearch, one node on a free port. */
export async function startElasticsearch(): Promise<Elasticsearch> {
  const jars = fetchJars("elasticsearch");
  const home = mkdtempSync(join(tmpdir(), "logguardian-elasticsearch-"));
  for (const name of ["config", "plugins", "modules/transport-netty4"])
    mkdirSync(join(home, name), { recursive: true });
  // Its HTTP is a module, which it loads by itself; the rest are Java's modules.
  const names = readdirSync(jars).filter((name) => name.endsWith(".jar"));
  const ofHttp = names.filter((name) => /^(netty|transport-netty4)-/.test(name));
  for (const name of ofHttp) symlinkSync(join(jars, name), join(home, "modules/transport-netty4", name));
  const version = /^elasticsearch-(\d\S*)\.jar$/m.exec(names.join("\n"))?.[1];
  writeFileSync(
    join(home, "modules/transport-netty4/plugin-descriptor.properties"),
    [
      ...["name=transport-netty4", "description=HTTP", `version=${version}`],
      ...[`elasticsearch.version=${version}`, "java.version=17"],
      "classname=org.elasticsearch.transport.netty4.Netty4Plugin",
    ].join("\n"),
  );
  const path = names.filter((name) => !ofHttp.includes(name)).map((name) => join(jars, name));
  const [port] = await freePorts(1);
  const log = join(home, "log");
  const file = openSync(log, "w");
  const child = spawn(
    "java",
    [
      ...["-Xmx512m", "--module-path", path.join(delimiter)],
      ...["--add-modules", "org.elasticsearch.server,org.apache.logging.log4j.core,jdk.management,jdk.net"],
      ...[join(sources, "TestElasticsearch.java"), home, String(port)],
    ],
    { stdio: ["ignore", file, file] },
  );
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  await until(
    () => {
      if (child.exitCode !== null)
        throw new Error(`Elasticsearch ends: ${readFileSync(log, "utf8").slice(-2000)}`);
      return fetch(`${url}/_cluster/health?wait_for_status=yellow`).then(
        ({ ok }) => ok,
        () => false,
      );
    },
    "Elasticsearch answers",
    120_000,
  );
  async function send(method: string, path: string, body?: string): Promise<unknown> {
    const answer = await fetch(`${url}/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
    return JSON.parse(text);
  }

  return {
    ask: (method, path, body) => send(method, path, body === undefined ? undefined : JSON.stringify(body)),
    async write(index, documents) {
      const rows = documents.flatMap(({ id, version, document }) => [
        { index: { _id: id, version, version_type: "external" } },
        document,
      ]);
      const body = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
      const answer = (await send("POST", `${index}/_bulk?refresh=true`, body)) as { errors: boolean };
      if (answer.errors) throw new Error(`Elasticsearch refuses documents: ${JSON.stringify(answer)}`);
    },
    async stop() {
      child.kill("SIGKILL");
      await exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** What Kafka Connect makes of a topic's values before it hands them to the connector of a configuration. */
export function connectTransforms(
  configFile: string,
  values: readonly string[],
): { id: string; document: unknown }[] {
  const jars = fetchJars("connect");
  const { status, stdout, stderr } = spawnSync(
    "java",
    ["-cp", join(jars, "*"), join(sources, "ConnectTransforms.java"), configFile],
    { encoding: "utf8", input: values.map((value) => `${value}\n`).join(""), maxBuffer: 2 ** 26 },
  );
  if (status !== 0) throw new Error(`Kafka Connect's transforms fail: ${stderr}`);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
