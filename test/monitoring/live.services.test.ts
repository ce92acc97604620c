import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { dashboards } from "../../monitoring/grafana/dashboards.ts";
import { simulateHdfs } from "../../src/simulate/hdfs.ts";
import { apiOf } from "../support/api.ts";
import { starterBundle } from "../support/data.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { services } from "../support/services.ts";
import { roles, Stream } from "../support/stream.ts";
import { folder, panelsOf } from "./queries.ts";

/** What a run in which all goes well shows as 0. */
const quiet = new Set([
  "LogGuardian: Processes away",
  "LogGuardian: Alerts",
  "LogGuardian: Waits",
  "LogGuardian: Lag",
  "LogGuardian pipeline: Lag",
  "LogGuardian pipeline: In flight",
  "LogGuardian pipeline: Commit age",
  "LogGuardian pipeline: Pending windows",
  "LogGuardian pipeline: Waits",
  "LogGuardian pipeline: Lost offsets",
  "LogGuardian pipeline: Evicted windows",
  "LogGuardian pipeline: Rebalances",
  "LogGuardian pipeline: Rebuilds",
  "LogGuardian pipeline: Repeated lines",
  "LogGuardian pipeline: Clamped times",
  "LogGuardian pipeline: Keys left out",
  "LogGuardian pipeline: Early verdicts",
  "LogGuardian pipeline: Alertmanagers away",
  "LogGuardian verdicts: Cache evictions",
  "LogGuardian API: Errors",
  "LogGuardian API: Refused for load",
  "LogGuardian API: Detections",
]);

/** Kafka, Redis, every role, the API among them, with the starter bundle, and a Prometheus that scrapes them every second. */
const stream = new Stream(services, `test-dashboards-${Date.now()}`);
let prometheus: Prometheus;
let api: ReturnType<typeof apiOf>;
const scraped = [...roles, "api"];
/** Seconds; when the first lines came. */
let began: number;

/** The rules as they are, over seconds instead of hours. */
function shortened(rules: string): string {
  return rules
    .replaceAll("[1w] offset 1h", "[30s] offset 10s")
    .replaceAll("[1d] offset 15m", "[30s] offset 10s")
    .replaceAll(/\[(1h|15m)\]/g, "[10s]")
    .replaceAll("interval: 5m", "interval: 1s")
    .replaceAll(/> 2000?\b/g, "> 10");
}

beforeAll(async () => {
  const pipeline = {
    topics: [`${stream.prefix}-raw`],
    from: "earliest",
    format: "filebeat",
    layout: "hdfs",
    key: { pattern: "blk_-?\\d+" },
    window: { kind: "sliding", size: 8, stride: 8 },
    partitions: 2,
    next: { bundle: starterBundle },
  };
  stream.configure({ pipelines: { live: pipeline } });
  await stream.createTopic(`${stream.prefix}-raw`, 2);
  await stream.startAll();
  api = apiOf(await stream.start("api"));
  const { scrape_configs, ...config } = parse(readFileSync(join(folder, "prometheus.yml"), "utf8"));
  const { job_name } = scrape_configs[0];
  prometheus = await startPrometheus(
    {
      global: { ...config.global, scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
      scrape_configs: [
        {
          job_name,
          static_configs: scraped.map((service) => ({
            labels: { service },
            targets: stream.running(service).map(({ port }) => `127.0.0.1:${port}`),
          })),
        },
      ],
    },
    shortened(readFileSync(join(folder, "rules.yml"), "utf8")),
  );
  began = Date.now() / 1000;
  await write();
}, 600_000);

afterAll(async () => {
  await prometheus?.stop();
  stream.abandon();
});

/** What a run must have come to. */
const awaited = [
  "pipeline_model:logguardian_novelty:drift > 0.1",
  "logguardian_active_alerts > 0",
  "rate(logguardian_suppressed_windows_total[10s]) > 0",
  "logguardian_indexed_anomalies > 0",
  "logguardian_feedback_total > 3",
  'rate(logguardian_jobs_total{state="done"}[10s]) > 0',
  // The next model has the lowest priority.
  'rate(logguardian_shadow_windows_total{outcome!="left-out"}[10s]) > 0',
  "logguardian_shadow_score_difference_count > 0",
];

/** Asks for a detection in the background, and calls the newest anomaly a false alarm: alerts are suppressed from then on. */
async function ask(logs: readonly { message: string }[]): Promise<void> {
  const queued = await api.ask("/batch-detect", { body: { logs } });
  expect(queued.status, JSON.stringify(queued.body)).toBe(202);
  const { body } = await api.ask("/anomalies?limit=1");
  for (const { id } of body.anomalies)
    await api.ask(`/anomalies/${id}/feedback`, { body: { judgement: "false-alarm" } });
}

/** Lines for most of a minute, some of them no records, later ones new to the model, until all that is awaited is seen. */
async function write(): Promise<void> {
  const producer = stream.kafka.producer();
  await producer.connect();
  const seen = async (expr: string) => (await prometheus.range(expr, began)).length > 0;
  const deadline = Date.now() + 300_000;
  for (let seed = 1; Date.now() < deadline; seed++) {
    const { lines } = simulateHdfs({
      rate: 500,
      faultRate: 0.3,
      seed,
      lines: 500,
      start: Date.now() - 2_000,
    });
    const messages = [...lines].map(({ text }, offset) => ({
      value: JSON.stringify({
        log: { file: { path: "/a" }, offset },
        message: seed > 8 ? text.replace("Receiving", "Now taking in") : text,
      }),
    }));
    await producer.send({ topic: `${stream.prefix}-raw`, messages: [...messages, { value: "{ broken" }] });
    stream.assertAlive();
    // Not at once: some anomalies are to be told.
    if (seed > 5)
      await ask(messages.slice(0, 20).map(({ value }) => ({ message: JSON.parse(value).message })));
    if (seed > 10 && (await Promise.all(awaited.map(seen))).every(Boolean)) break;
    await sleep(2_000);
  }
  await producer.disconnect();
}

describe("a Prometheus that scrapes every role", () => {
  it("finds each of them, and its rules without a fault", async () => {
    const targets = async () => {
      const { activeTargets } = (await prometheus.get("targets")) as {
        activeTargets: { health: string; labels: { service: string } }[];
      };
      return activeTargets.map(({ health, labels }) => `${labels.service} ${health}`).sort();
    };
    // A busy machine may be late for one scrape or another.
    const patience = { timeout: 120_000, interval: 500 };
    await expect.poll(targets, patience).toEqual(scraped.map((role) => `${role} up`).sort());
    const faults = async () => {
      const { groups } = (await prometheus.get("rules")) as {
        groups: { rules: { name: string; health: string; lastError?: string }[] }[];
      };
      return groups.flatMap(({ rules }) => rules.filter(({ health }) => health !== "ok"));
    };
    await expect.poll(faults, patience).toEqual([]);
  });

  it.each(Object.values(dashboards).flatMap((dashboard) => panelsOf(dashboard)))(
    "gives data for $name",
    async ({ name, targets }) => {
      for (const { expr, legendFormat } of targets) {
        const query = expr.replaceAll("$__rate_interval", "10s").replaceAll(/\$\w+/g, ".*");
        const series = await prometheus.range(query, began);
        const values = series.flatMap((one) => one.values.map(([, value]) => Number(value)));
        const numbers = values.filter((value) => !Number.isNaN(value));
        expect(numbers.length, query).toBeGreaterThan(0);
        if (!quiet.has(name)) expect(Math.max(...numbers), query).toBeGreaterThan(0);
        // A legend that names a label which the series lack shows nothing but blanks.
        for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          expect(Object.keys(series[0]?.metric ?? {}), `${query}: ${legendFormat}`).toContain(label);
      }
    },
  );

  it.each(
    Object.values(dashboards).flatMap(({ title = "", templating }) =>
      (templating?.list ?? []).flatMap(({ name, query }) => {
        const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(String(query)) ?? [];
        return metric === undefined || label === undefined ? [] : [{ title, name, metric, label }];
      }),
    ),
  )("has values to choose from for $title: $name", async ({ title, metric, label }) => {
    const values = (await prometheus.get(
      `label/${label}/values?${new URLSearchParams({ "match[]": metric })}`,
    )) as string[];
    expect(values.length, title).toBeGreaterThan(0);
  });
});
