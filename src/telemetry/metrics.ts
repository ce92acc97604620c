import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { packageVersion } from "../package-root.ts";
import { waits } from "./health.ts";

/** Everything that Prometheus sees, by what it counts. Names and labels are a public contract. */
export interface Metrics {
  records: Counter<"pipeline">;
  lines: Counter<"pipeline">;
  clampedTimes: Counter<"pipeline">;
  leftOutKeys: Counter<"pipeline">;
  deadLetters: Counter<"pipeline" | "role" | "reason">;
  lostOffsets: Counter<"pipeline" | "role">;
  repeatedLines: Counter<"pipeline">;
  openWindows: Gauge<"pipeline" | "partition">;
  pendingWindows: Gauge<"pipeline" | "partition">;
  windows: Counter<"pipeline" | "reason">;
  rebuilds: Counter<"pipeline">;
  verdicts: Counter<"pipeline" | "verdict">;
  anomalies: Counter<"pipeline">;
  early: Counter<"pipeline" | "stage">;
  score: Histogram<"pipeline" | "model">;
  novelty: Histogram<"pipeline" | "model">;
  shadowWindows: Counter<"pipeline" | "outcome">;
  shadowScoreDifference: Histogram<"pipeline">;
  inference: Histogram<"pipeline">;
  cache: Gauge<"pipeline" | "cache" | "result">;
  cacheEvictions: Gauge<"pipeline" | "cache">;
  cacheBytes: Gauge<"pipeline" | "cache">;
  detection: Histogram<"pipeline">;
  recordToVerdict: Histogram<"pipeline">;
  alerts: Counter<"pipeline">;
  activeAlerts: Gauge<"pipeline" | "state">;
  suppressedWindows: Counter<"pipeline">;
  alertmanagersAway: Gauge<"pipeline">;
  inFlightBytes: Gauge<"pipeline" | "role">;
  lag: Gauge<"pipeline" | "role">;
  commitAge: Gauge<"pipeline" | "role">;
  rebalances: Counter<"pipeline" | "role">;
  waiting: Gauge<"wait">;
  requests: Counter<"method" | "route" | "status">;
  requestSeconds: Histogram<"method" | "route">;
  feedback: Counter<"pipeline" | "judgement">;
  detections: Gauge;
  jobs: Counter<"state">;
  indexedAnomalies: Gauge;
  indexBytes: Gauge;
  /** Shows what a role of a pipeline counts as 0: of a counter without a series, nobody sees the first count. */
  startAtZero(counted: { pipeline: string; role: string }): void;
  /** Called before each reading, for values that are looked up. */
  onCollect(update: () => void): void;
  /** In Prometheus' text format. */
  text(): Promise<string>;
}

/** Of `record_to_verdict_seconds`: how long an operator waits at most to know of a line. */
export const recordToVerdictBuckets = [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 30, 100, 300, 1000];

/** Of `score`: fine where scores lie, near 0 and 1, so that a shift among the normal ones shows (monitoring/rules.yml). */
const scoreBuckets = [0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.97, 0.99, 0.997, 0.999];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const updates: (() => void)[] = [];
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `logguardian_${name}`, help, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name: `logguardian_${name}`, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ) => new Histogram({ name: `logguardian_${name}`, help, labelNames, buckets, registers });
  gauge("build_info", "Version of LogGuardian.", ["version", "node"]).set(
    { version: packageVersion(), node: process.version },
    1,
  );
  const metrics = {
    records: counter("records_total", "Records read from raw topics.", ["pipeline"]),
    lines: counter("lines_total", "Lines decoded.", ["pipeline"]),
    clampedTimes: counter("clamped_times_total", "Lines whose time was impossible or too far ahead.", [
      "pipeline",
    ]),
    leftOutKeys: counter("left_out_keys_total", "Window keys beyond the most that one line may have.", [
      "pipeline",
    ]),
    deadLetters: counter("dead_letters_total", "Records sent to the dead letters.", [
      "pipeline",
      "role",
      "reason",
    ]),
    lostOffsets: counter(
      "lost_offsets_total",
      "Offsets that retention or a new topic took before they were read.",
      ["pipeline", "role"],
    ),
    repeatedLines: counter("repeated_lines_total", "Lines dropped because they had been taken in before.", [
      "pipeline",
    ]),
    openWindows: gauge("open_windows", "Windows that wait for more lines.", ["pipeline", "partition"]),
    pendingWindows: gauge("pending_windows", "Windows closed that the windows topic does not hold yet.", [
      "pipeline",
      "partition",
    ]),
    windows: counter("windows_total", "Windows closed, by reason.", ["pipeline", "reason"]),
    rebuilds: counter(
      "window_rebuilds_total",
      "Partitions whose windows were rebuilt from the lines topic.",
      ["pipeline"],
    ),
    verdicts: counter("verdicts_total", "Windows judged.", ["pipeline", "verdict"]),
    anomalies: counter("anomalies_detected_total", "Windows judged anomalous.", ["pipeline"]),
    early: counter(
      "early_verdicts_total",
      "Windows found anomalous before they closed, and what became of them.",
      ["pipeline", "stage"],
    ),
    score: histogram(
      "score",
      "Calibrated probability of each window judged that it is anomalous.",
      ["pipeline", "model"],
      scoreBuckets,
    ),
    novelty: histogram(
      "novelty",
      "How unlike all lines of training each judged window's most unlike line is, where the bundle can tell.",
      ["pipeline", "model"],
      [0.001, 0.01, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1],
    ),
    shadowWindows: counter(
      "shadow_windows_total",
      "Windows that the next bundle judged beside the live one, by what would change.",
      ["pipeline", "outcome"],
    ),
    shadowScoreDifference: histogram(
      "shadow_score_difference",
      "How far apart the scores of the live and the next bundle are.",
      ["pipeline"],
      [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9],
    ),
    inference: histogram(
      "model_inference_seconds",
      "Time to judge one batch of windows.",
      ["pipeline"],
      [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    ),
    cacheEvictions: gauge("cache_evictions", "Entries that the caches gave up for others since the start.", [
      "pipeline",
      "cache",
    ]),
    cacheBytes: gauge("cache_bytes", "What the caches hold.", ["pipeline", "cache"]),
    cache: gauge("cache_requests", "Requests to the caches since the start.", [
      "pipeline",
      "cache",
      "result",
    ]),
    detection: histogram(
      "detection_seconds",
      "From the closing of a window to its verdict.",
      ["pipeline"],
      [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000],
    ),
    recordToVerdict: histogram(
      "record_to_verdict_seconds",
      "From the event time of the line that closed a window to the window's verdict.",
      ["pipeline"],
      recordToVerdictBuckets,
    ),
    alerts: counter("alerts_sent_total", "Alerts sent to Alertmanager, repeats included.", ["pipeline"]),
    activeAlerts: gauge("active_alerts", "Anomalies that go on: told, held back in a storm, suppressed.", [
      "pipeline",
      "state",
    ]),
    suppressedWindows: counter(
      "suppressed_windows_total",
      "Anomalous windows that did not alert, as their fingerprint was called a false alarm.",
      ["pipeline"],
    ),
    alertmanagersAway: gauge("alertmanagers_away", "Configured Alertmanagers that do not take alerts.", [
      "pipeline",
    ]),
    inFlightBytes: gauge("in_flight_bytes", "Bytes read from Kafka whose effects are not durable yet.", [
      "pipeline",
      "role",
    ]),
    lag: gauge("consumer_lag", "Messages between the committed offset and the end of the log.", [
      "pipeline",
      "role",
    ]),
    commitAge: gauge(
      "commit_age_seconds",
      "Since the last commit, while something is not committed; 0 where all is.",
      ["pipeline", "role"],
    ),
    rebalances: counter("rebalances_total", "Times that the group gave this process its partitions.", [
      "pipeline",
      "role",
    ]),
    waiting: gauge("waiting", "1 while the process waits for something that has this name.", ["wait"]),
    requests: counter("requests_total", "HTTP requests answered by the API.", ["method", "route", "status"]),
    requestSeconds: histogram(
      "request_duration_seconds",
      "From an HTTP request's beginning to the end of its answer; streams are left out.",
      ["method", "route"],
      [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
    ),
    feedback: counter("feedback_total", "What people said of verdicts through the API.", [
      "pipeline",
      "judgement",
    ]),
    detections: gauge("detections", "Requests for detection that are being answered or wait.", []),
    jobs: counter("jobs_total", "Detection jobs of the API that ended, by how.", ["state"]),
    indexedAnomalies: gauge("indexed_anomalies", "Anomalies that the API's index holds.", []),
    indexBytes: gauge("index_bytes", "What the API's index holds.", []),
  };
  for (const wait of waits) metrics.waiting.set({ wait }, 0);
  const countedBy: Readonly<Record<string, readonly Counter<"pipeline">[]>> = {
    ingester: [metrics.records, metrics.lines, metrics.clampedTimes, metrics.leftOutKeys],
    windower: [metrics.repeatedLines, metrics.rebuilds],
    detector: [metrics.anomalies],
    alerter: [metrics.alerts, metrics.suppressedWindows],
  };
  return {
    ...metrics,
    startAtZero({ pipeline, role }) {
      for (const one of countedBy[role] ?? []) one.inc({ pipeline }, 0);
      if (role === "windower") metrics.windows.inc({ pipeline, reason: "evicted" }, 0);
      if (role === "detector") {
        for (const verdict of ["normal", "anomalous", "undecided"])
          metrics.verdicts.inc({ pipeline, verdict }, 0);
        for (const stage of ["raised", "confirmed", "withdrawn", "moved"])
          metrics.early.inc({ pipeline, stage }, 0);
      }
      if (role === "api") for (const state of ["done", "failed"]) metrics.jobs.inc({ state }, 0);
      metrics.lostOffsets.inc({ pipeline, role }, 0);
    },
    onCollect: (update) => void updates.push(update),
    text() {
      for (const update of updates) update();
      return registry.metrics();
    },
  };
}
