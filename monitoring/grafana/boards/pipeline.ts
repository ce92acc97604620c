import { dashboardOf, variable } from "../dashboard.ts";
import { type PanelText, type Query, quantiles, timeSeries } from "../panels.ts";

const of = 'pipeline=~"$pipeline"';

/** Counts a second, by pipeline and more labels. */
function rate(text: Omit<PanelText, "unit">, metric: string, ...labels: string[]) {
  const by = ["pipeline", ...labels];
  const query: Query = [
    `sum by (${by.join(", ")}) (rate(logguardian_${metric}{${of}}[$__rate_interval]))`,
    by.map((label) => `{{${label}}}`).join(" "),
  ];
  return timeSeries({ unit: "cps", ...text }, [query]);
}

/** A gauge's sum, by pipeline and more labels. */
function level(text: PanelText, metric: string, ...labels: string[]) {
  const by = ["pipeline", ...labels];
  return timeSeries(text, [
    [`sum by (${by.join(", ")}) (logguardian_${metric}{${of}})`, by.map((label) => `{{${label}}}`).join(" ")],
  ]);
}

/** The way from records to alerts. */
export const pipeline = dashboardOf(
  {
    uid: "logguardian-pipeline",
    title: "LogGuardian pipeline",
    description: "The way from records to alerts: what flows, what waits, what is dropped.",
  },
  [variable("pipeline", "logguardian_consumer_lag")],
  [
    {
      title: "What flows",
      panels: [
        rate({ title: "Records", description: "Read from raw topics.", width: 6 }, "records_total"),
        rate(
          { title: "Lines", description: "Falls while records do not: the format is wrong.", width: 6 },
          "lines_total",
        ),
        rate(
          { title: "Windows closed", description: "By what closed them.", width: 6 },
          "windows_total",
          "reason",
        ),
        rate({ title: "Verdicts", description: "Windows judged.", width: 6 }, "verdicts_total", "verdict"),
      ],
    },
    {
      title: "What waits",
      panels: [
        level(
          { title: "Lag", description: "Messages that a role has not yet taken in.", unit: "short" },
          "consumer_lag",
          "role",
        ),
        level(
          {
            title: "In flight",
            description: "Bytes read and not yet durable; bounded by limits.inFlight.",
            unit: "bytes",
          },
          "in_flight_bytes",
          "role",
        ),
        timeSeries(
          {
            title: "Commit age",
            description: "Since the last commit, while something is not committed.",
            unit: "s",
          },
          [[`max by (pipeline, role) (logguardian_commit_age_seconds{${of}})`, "{{pipeline}} {{role}}"]],
        ),
        level(
          {
            title: "Open windows",
            description: "That wait for more lines; bounded by limits.maxOpenWindows.",
            unit: "short",
          },
          "open_windows",
        ),
        level(
          {
            title: "Pending windows",
            description: "Closed, and not yet on the windows topic.",
            unit: "short",
          },
          "pending_windows",
        ),
        timeSeries(
          {
            title: "Waits",
            description: "Processes that wait, by what for; nothing is lost meanwhile.",
            unit: "short",
          },
          [["sum by (service, wait) (logguardian_waiting)", "{{service}} {{wait}}"]],
        ),
      ],
    },
    {
      title: "How long it takes",
      panels: [
        timeSeries(
          {
            title: "From a closed window to its verdict",
            description: "Grows while the detector is behind.",
            unit: "s",
            width: 12,
          },
          quantiles("detection_seconds", of, "pipeline"),
        ),
        timeSeries(
          {
            title: "From a line to its verdict",
            description: "Of windows that this line closed; since its event time.",
            unit: "s",
            width: 12,
          },
          quantiles("record_to_verdict_seconds", of, "pipeline"),
        ),
      ],
    },
    {
      title: "Who is told",
      panels: [
        // Every alerter of a pipeline says the same.
        timeSeries(
          {
            title: "Active alerts",
            description: "Anomalies that go on: told, held back in a storm, suppressed by feedback.",
            unit: "short",
          },
          [[`max by (pipeline, state) (logguardian_active_alerts{${of}})`, "{{pipeline}} {{state}}"]],
        ),
        rate(
          {
            title: "Suppressed windows",
            description: "Anomalous, and not told: their fingerprint was called a false alarm.",
          },
          "suppressed_windows_total",
        ),
        timeSeries(
          {
            title: "Alertmanagers away",
            description: "That do not take alerts.",
            unit: "short",
          },
          [[`max by (pipeline) (logguardian_alertmanagers_away{${of}})`, "{{pipeline}}"]],
        ),
      ],
    },
    {
      title: "What goes wrong",
      panels: [
        rate(
          { title: "Dead letters", description: "Records that could not be used, by reason." },
          "dead_letters_total",
          "role",
          "reason",
        ),
        rate(
          {
            title: "Lost offsets",
            description: "Gone before they were read, or in a batch that nobody can unpack.",
          },
          "lost_offsets_total",
          "role",
        ),
        rate(
          {
            title: "Rebalances",
            description: "Grows while no process comes or goes: one is too slow for its session.",
          },
          "rebalances_total",
          "role",
        ),
        timeSeries(
          {
            title: "Evicted windows",
            description: "Closed for want of room: raise limits.maxOpenWindows or maxOpenBytes.",
            unit: "cps",
          },
          [
            [
              `sum by (pipeline) (rate(logguardian_windows_total{${of}, reason="evicted"}[$__rate_interval]))`,
              "{{pipeline}}",
            ],
          ],
        ),
        rate(
          { title: "Rebuilds", description: "Partitions whose windows were rebuilt: Redis lost data." },
          "window_rebuilds_total",
        ),
        rate(
          { title: "Repeated lines", description: "Taken in before, and dropped; after crashes only." },
          "repeated_lines_total",
        ),
        rate(
          {
            title: "Clamped times",
            description: "Lines whose time was impossible or too far ahead: a shipper's clock.",
          },
          "clamped_times_total",
        ),
        rate(
          {
            title: "Keys left out",
            description: "Beyond the most that one line may have: the key's pattern.",
          },
          "left_out_keys_total",
        ),
        rate(
          {
            title: "Early verdicts",
            description: "Raised before their window closed, and what became of them.",
          },
          "early_verdicts_total",
          "stage",
        ),
      ],
    },
  ],
);
