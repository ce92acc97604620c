import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, matchesGlob } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { roleNames } from "../../src/pipeline/names.ts";
import { root } from "../support/data.ts";

interface Service {
  command?: string[];
  volumes?: string[];
  profiles?: string[];
  depends_on?: Record<string, { condition: string }>;
}

const read = (path: string) => readFileSync(join(root, path), "utf8");
const { services } = parse(read("docker-compose.yml"), { merge: true }) as {
  services: Record<string, Service>;
};
const config = loadConfig(join(root, "deploy/logguardian.yaml"), {});

/** The compose file as Docker Compose resolves it. */
function resolved(...options: string[]): {
  services: Record<string, { environment: Record<string, unknown> }>;
} {
  const { status, stdout, stderr } = spawnSync("docker-compose", [...options, "config"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return parse(stdout);
}

describe("docker-compose.yml", () => {
  it("is understood by Docker Compose; Alertmanager is named to the alerter with the profile only", () => {
    const variable = "LOGGUARDIAN_ALERTMANAGER_URLS";
    expect(resolved().services.alerter?.environment[variable] ?? null).toBeNull();
    const { services } = resolved("--env-file", "deploy/monitoring.env");
    const url = new URL(String(services.alerter?.environment[variable]));
    expect(Object.keys(services)).toContain(url.hostname);
  });

  it("runs every role, after what it needs", () => {
    for (const role of roleNames) {
      expect(services[role]?.command, role).toEqual(["start", role]);
      expect(Object.keys(services[role]?.depends_on ?? {}), role).toContain("kafka");
    }
  });

  it("mounts files that exist", () => {
    const mounted = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.map((one) => one.split(":")[0]),
    );
    const files = mounted.filter((path) => path?.startsWith("./"));
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((path) => !existsSync(join(root, path ?? "")))).toEqual([]);
  });

  it("configures the processes for its own Kafka, Redis and topics", () => {
    expect(config.kafka.brokers).toEqual(["kafka:9092"]);
    expect(config.redis.url).toBe("redis://redis:6379");
    expect(config.http.host).toBe("0.0.0.0");
    const made = services.topics?.command?.find((option) => option.startsWith("--topic="))?.split("=")[1];
    expect(Object.values(config.pipelines).flatMap(({ topics }) => topics)).toEqual([made]);
  });
});

describe("the image", () => {
  const dockerfile = read("deploy/Dockerfile");

  it("copies what exists and reaches the builder", () => {
    const kept = read(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, list = ""]) =>
      list.split(" "),
    );
    expect(copied.length).toBeGreaterThan(0);
    for (const path of copied) {
      expect(existsSync(join(root, path)), path).toBe(true);
      expect(
        kept.some((one) => matchesGlob(path, one) || path.startsWith(`${one}/`)),
        path,
      ).toBe(true);
    }
  });

  it("asks for health on the port that the configuration has", () => {
    const { port } = config.http;
    expect(dockerfile).toContain(`http://127.0.0.1:${port}/health`);
    expect(dockerfile).toContain(`EXPOSE ${port}\n`);
    expect(parse(read("monitoring/prometheus.yml")).scrape_configs[0].dns_sd_configs[0]).toMatchObject({
      names: [...roleNames],
      port,
    });
  });
});
