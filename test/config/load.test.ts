import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  durationOf,
  loadConfig,
  parseConfig,
  printConfig,
  rawTopicsOf,
  windowSpecOf,
} from "../../src/config/load.ts";

const good = `
pipelines:
  hdfs:
    topics: [raw]
    format: filebeat
    window: { kind: session, gap: 24h }
`;

function problemsOf(text: string, environment: Record<string, string> = {}): string[] {
  try {
    parseConfig(text, "x.yaml", environment);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "LG_CONFIG" });
    return (thrown as Error).message
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

describe("the configuration", () => {
  it("is completed by defaults", () => {
    const config = parseConfig(good, "x.yaml");
    expect(config.kafka.brokers).toEqual(["localhost:9092"]);
    expect(config.http.port).toBe(9464);
    const pipeline = config.pipelines.hdfs;
    expect(pipeline).toMatchObject({ partitions: 16, from: "latest", key: "origin", publish: "anomalous" });
    if (pipeline === undefined) throw new Error();
    expect(windowSpecOf(pipeline.window)).toEqual({ kind: "session", gapMs: 86_400_000, maxLines: 1000 });
    expect(durationOf(pipeline.idleAfter)).toBe(30_000);
  });

  it("lets a topic say itself how its records are read", () => {
    const topics =
      "[raw, { name: pods, format: fluent-bit }, { name: app, format: json, fields: { line: text } }]";
    const text = `pipelines: { a: { topics: ${topics}, format: json, fields: { line: event.text }, window: { kind: session } } }`;
    const { a } = parseConfig(text, "x.yaml").pipelines;
    expect(a && rawTopicsOf(a)).toEqual([
      { name: "raw", format: "json", fields: { line: ["event.text"] } },
      { name: "pods", format: "fluent-bit", fields: {} },
      { name: "app", format: "json", fields: { line: ["text"] } },
    ]);
    expect(problemsOf(text.replace("format: fluent-bit", "format: fluentbit"))).toEqual([
      "pipelines.a.topics.1: must be a topic's name, or such as { name: app, format: filebeat }",
    ]);
    expect(
      problemsOf(text.replace("format: json, fields: { line: text }", "format: text, fields: {}")),
    ).toEqual([expect.stringMatching(/^pipelines\.a\.topics\.2\.fields: belongs to the formats/)]);
    expect(problemsOf(text.replace("name: pods", "name: raw"))).toEqual([
      "pipelines.a.topics: names a topic twice",
    ]);
    expect(problemsOf(text.replace("fluent-bit", "avro"))).toEqual([
      "pipelines.a.format: avro needs schemaRegistry.url",
    ]);
  });

  it("says what a setting should look like, and which one was probably meant", () => {
    const text =
      "pipelines: { a: { topics: [raw], format: text, windw: { kind: session }, idleAfter: 5 minutes } }";
    expect(problemsOf(text)).toEqual([
      "pipelines.a.window: is missing",
      "pipelines.a.windw: is unknown; perhaps window",
      "pipelines.a.idleAfter: must be a duration such as 30s, 10m or 24h",
    ]);
  });

  it("refuses what would be ignored, or cannot be", () => {
    expect(problemsOf(`${good}redis: { url: "redis://a:b@c", password: d }`)).toEqual([
      expect.stringMatching(/^redis\.url: carries credentials/),
    ]);
    expect(problemsOf(`${good}redis: { cluster: ["redis://a:b@c"] }`)).toEqual([
      expect.stringMatching(/^redis\.cluster\.0: carries credentials/),
    ]);
    const twoForms = {
      LOGGUARDIAN_REDIS_CLUSTER: "redis://a, redis://b",
      LOGGUARDIAN_REDIS_SENTINEL_NAME: "m",
    };
    expect(problemsOf(good, { ...twoForms, LOGGUARDIAN_REDIS_SENTINEL_URLS: "redis://s" })).toEqual([
      "redis.sentinel: stands beside redis.cluster; set one of them",
    ]);
    expect(problemsOf(`${good}alertmanager: { urls: ["http://a:b@c"] }`)).toEqual([
      expect.stringMatching(/^alertmanager\.urls\.0: carries credentials/),
    ]);
    expect(problemsOf(`${good}alertmanager: { urls: ["http://a"], tls: { ca: x } }`)).toEqual([
      "alertmanager.tls: is for URLs that begin with https://, and there is none",
    ]);
    expect(problemsOf(`${good}api: { publicUrl: "https://me:secret@a" }`)).toEqual([
      expect.stringMatching(/^api\.publicUrl: carries credentials/),
    ]);
    const alert = (of: string) =>
      problemsOf(`${good.trimEnd()}\n    alert: { ${of} }\n`).map((one) =>
        one.replace("pipelines.hdfs.alert.", ""),
      );
    expect(alert("hold: 4m")).toEqual([expect.stringMatching(/^hold: must be at least 5m/)]);
    expect(alert("hold: 5m, originLabel: instance, labels: { severity: page, team: a }")).toEqual([]);
    expect(alert("labels: { fingerprint: a }, originLabel: severity")).toEqual([
      expect.stringMatching(/^labels\.fingerprint: is set by LogGuardian/),
      expect.stringMatching(/^originLabel: is set by LogGuardian/),
    ]);
    expect(alert("labels: { node: a }, originLabel: node")).toEqual([
      "originLabel: stands in alert.labels too; set one of them",
    ]);
    expect(problemsOf(`${good}schemaRegistry: { url: "http://registry:99999" }`)).toEqual([
      expect.stringMatching(/^schemaRegistry\.url: is not a URL/),
    ]);
    expect(problemsOf(good.replace("  hdfs:", "  detect:"))).toEqual([
      expect.stringMatching(/^pipelines\.detect: .* choose another name/),
    ]);
    const named = "api: { tokens: { token: { token: 0123456789abcdef, scopes: [read] } } }";
    expect(problemsOf(`${good}${named}`)).toEqual([
      expect.stringMatching(/^api\.tokens\.token: .* choose another name/),
    ]);
    expect(problemsOf(good.replace("24h", "0s"))).toEqual([
      "pipelines.hdfs.window.gap: must be longer than 0",
    ]);
    expect(problemsOf(good.replace("24h", "24h, end: '(?=x)'"))).toEqual([
      expect.stringMatching(/^pipelines\.hdfs\.window\.end: .* not a valid RE2 expression/),
    ]);
    const time = (of: string) => problemsOf(good.replace("kind: session, gap: 24h", `kind: time, ${of}`));
    expect(time("span: 10m, slide: 5m, lateness: 30s")).toEqual([]);
    expect(time("span: 10m, slide: 11m")).toEqual([
      "pipelines.hdfs.window.slide: must not exceed the span: lines would be left out",
    ]);
    expect(time("span: 10m, slide: 1s")).toEqual([
      expect.stringMatching(/slide: must be at least span\/100/),
    ]);
    expect(time("span: 0s")).toEqual(["pipelines.hdfs.window.span: must be longer than 0"]);
    const bomb = [
      "a: &a [1, 1]",
      ..."bcdefgh"
        .split("")
        .map((name, place) => `${name}: &${name} [${`*${"abcdefgh"[place]}, `.repeat(9)}]`),
    ];
    expect(problemsOf(bomb.join("\n"))).toEqual([expect.stringMatching(/^x\.yaml: /)]);
  });

  it("reports every problem at once, each with its path", () => {
    const problems = problemsOf(`
kafka: { brokers: x, foo: 1 }
pipelines:
  a: { topics: [x], format: texx, window: { kind: session, gap: 3 }, key: { patern: x } }
  B!: {}
  c: { topics: [x], format: text, window: { kind: sliding, size: 5, stride: 6 } }
  d: { topics: [x], format: text, key: { pattern: '(?=x)' }, window: { kind: session } }
`);
    expect(problems.map((line) => line.split(":")[0])).toEqual([
      "kafka.foo",
      "kafka.brokers",
      "pipelines.a.format",
      "pipelines.a.key",
      "pipelines.a.window.gap",
      "pipelines.B!",
      "pipelines.B!.topics",
      "pipelines.B!.format",
      "pipelines.B!.window",
      "pipelines.c.window.stride",
      "pipelines.d.key.pattern",
    ]);
  });

  it("says where YAML itself is broken", () => {
    expect(problemsOf("pipelines: [")[0]).toMatch(/^x\.yaml: .* at line 1/);
    expect(problemsOf("")).toEqual(["pipelines: is missing"]);
    expect(problemsOf("just text")).toEqual(["the configuration: must be object"]);
  });

  it("is overridden by the environment, secrets by files too", () => {
    const file = join(mkdtempSync(join(tmpdir(), "logguardian-")), "password");
    writeFileSync(file, "p:w\n");
    const config = parseConfig(good, "x.yaml", {
      LOGGUARDIAN_KAFKA_BROKERS: "a:1, b:2",
      LOGGUARDIAN_KAFKA_SASL_MECHANISM: "plain",
      LOGGUARDIAN_KAFKA_SASL_USERNAME: "u",
      LOGGUARDIAN_KAFKA_SASL_PASSWORD_FILE: file,
      LOGGUARDIAN_PIPELINES_HDFS_PARTITIONS: "4",
      LOGGUARDIAN_PIPELINES_HDFS_WINDOW_GAP: "1h",
      LOGGUARDIAN_INFERENCE_GPU_LAYERS: "7",
      LOGGUARDIAN_UNRELATED: "tcp://10.0.0.1",
    });
    expect(config.kafka.brokers).toEqual(["a:1", "b:2"]);
    expect(config.kafka.sasl).toEqual({ mechanism: "plain", username: "u", password: "p:w" });
    expect(config.pipelines.hdfs).toMatchObject({ partitions: 4, window: { gap: "1h" } });
    expect(config.inference.gpuLayers).toBe(7);
  });

  it("refuses a variable that is nearly a setting's, not what an orchestrator makes up", () => {
    const made = {
      LOGGUARDIAN_PORT: "tcp://10.0.0.1:80",
      LOGGUARDIAN_SERVICE_HOST: "10.0.0.1",
      LOGGUARDIAN_CONFIG: "x.yaml",
      LOGGUARDIAN_DATA: "data",
      LOGGUARDIAN_UV: "/usr/bin/uv",
      LOGGUARDIAN_ENV: "test",
    };
    expect(() => parseConfig(good, "x.yaml", made)).not.toThrow();
    const misspelt = { LOGGUARDIAN_KAFKA_BROKRES: "a:1", LOGGUARDIAN_REDIS_PASWORD_FILE: "/run/x" };
    expect(() => parseConfig(good, "x.yaml", misspelt)).toThrow(
      /LOGGUARDIAN_KAFKA_BROKRES: is not known; LOGGUARDIAN_KAFKA_BROKERS is[\s\S]*LOGGUARDIAN_REDIS_PASSWORD_FILE is/,
    );
    const nearest = {
      LOGGUARDIAN_KAFKA__BROKRES: "LOGGUARDIAN_KAFKA_BROKERS",
      LOGGUARDIAN_KAFKACLIENTID: "LOGGUARDIAN_KAFKA_CLIENT_ID",
      LOGGUARDIAN_CONFG: "LOGGUARDIAN_CONFIG",
    };
    for (const [name, meant] of Object.entries(nearest))
      expect(problemsOf(good, { [name]: "a:1" })).toEqual([`${name}: is not known; ${meant} is`]);
  });

  it("refuses what the environment says wrongly", () => {
    const problems = problemsOf(good, {
      LOGGUARDIAN_HTTP_PORT: "many",
      LOGGUARDIAN_REDIS_PASSWORD_FILE: "/does/not/exist",
    });
    expect(problems[0]).toMatch(/^LOGGUARDIAN_REDIS_PASSWORD_FILE: cannot be read/);
    expect(problems[1]).toBe("http.port: must be integer");
  });

  it("is printed without secrets", () => {
    const text = printConfig(
      parseConfig(good, "x.yaml", {
        LOGGUARDIAN_REDIS_URL: "redis://user:secret-1@secret-2@host:1/?password=secret-3",
        LOGGUARDIAN_KAFKA_SASL_MECHANISM: "plain",
        LOGGUARDIAN_KAFKA_SASL_USERNAME: "someone",
        LOGGUARDIAN_KAFKA_SASL_PASSWORD: "secret-4",
        LOGGUARDIAN_ALERTMANAGER_BEARER_TOKEN: "secret-5",
      }),
    );
    expect(text).toContain("redis://user:hidden@host:1/?password=hidden");
    expect(text).not.toMatch(/secret/);
    expect(parseConfig(text, "printed.yaml").pipelines.hdfs?.topics).toEqual(["raw"]);
  });

  it("names the file that cannot be read", () => {
    expect(() => loadConfig("/does/not/exist.yaml", {})).toThrow(/does\/not\/exist\.yaml cannot be read/);
  });
});
