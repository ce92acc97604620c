import { dashboardOf, variable } from "../dashboard.ts";
import { quantiles, stat, timeSeries } from "../panels.ts";

const of = 'pipeline=~"$pipeline"';

/** Whether it works, what it finds, and where to look next. */
export const overview = dashboardOf(
  { uid: "logguardian", title: "LogGuardian", description: "Whether it works, and what it finds." },
  [variable("pipeline", "logguardian_consumer_lag")],
  [
    {
      title: "Now",
      panels: [
        stat(
          {
            title: "Processes away",
            description: "That Prometheus knows of and that do not answer.",
            unit: "short",
          },
          ['count(up{job="logguardian"} == 0) or vector(0)', "away"],
          { bad: 1 },
        ),
        stat(
          {
            title: "Alerts",
            description:
              "Of monitoring/rules.yml, firing now: Prometheus' page of alerts has their runbooks.",
            unit: "short",
          },
          ['count(ALERTS{alertname=~"LogGuardian.*", alertstate="firing"}) or vector(0)', "alerts"],
          { bad: 1 },
        ),
        stat(
          {
            title: "Waits",
            description: "Processes that wait for Kafka, Redis or another service; nothing is lost.",
            unit: "short",
          },
          ["sum(logguardian_waiting)", "waits"],
          { bad: 1 },
        ),
        stat({ title: "Lag", description: "Messages not yet taken in, of all roles.", unit: "short" }, [
          `sum(logguardian_consumer_lag{${of}})`,
          "messages",
        ]),
        stat({ title: "Anomalous windows", description: "Of the last hour.", unit: "short" }, [
          `sum(increase(logguardian_anomalies_detected_total{${of}}[1h]))`,
          "windows",
        ]),
        stat(
          {
            title: "Lost or buried",
            description:
              "Offsets that were lost, and records in the dead letters, in the last day. See the dashboard of the pipeline.",
            unit: "short",
          },
          [
            `sum(increase(logguardian_lost_offsets_total{${of}}[1d])) + (sum(increase(logguardian_dead_letters_total{${of}}[1d])) or vector(0))`,
            "records",
          ],
          { bad: 1 },
        ),
      ],
    },
    {
      title: "What it finds",
      panels: [
        timeSeries({ title: "Anomaly rate", description: "Windows judged anomalous.", unit: "cps" }, [
          [
            `sum by (pipeline) (rate(logguardian_anomalies_detected_total{${of}}[$__rate_interval]))`,
            "{{pipeline}}",
          ],
        ]),
        timeSeries(
          {
            title: "Share of windows that are anomalous",
            description:
              "Of a quarter of an hour, and of the day before it: five times as many are an anomaly storm.",
            unit: "percentunit",
          },
          [
            [`pipeline:logguardian_anomalies:ratio15m{${of}}`, "{{pipeline}}"],
            [`pipeline:logguardian_anomalies:ratio1d{${of}}`, "{{pipeline}} the day before"],
          ],
        ),
        timeSeries({ title: "Alerts sent", description: "To Alertmanager, repeats included.", unit: "cps" }, [
          [
            `sum by (pipeline) (rate(logguardian_alerts_sent_total{${of}}[$__rate_interval]))`,
            "{{pipeline}}",
          ],
        ]),
      ],
    },
    {
      title: "Whether it keeps up",
      panels: [
        timeSeries({ title: "Lines", description: "Decoded from the records of raw topics.", unit: "cps" }, [
          [`sum by (pipeline) (rate(logguardian_lines_total{${of}}[$__rate_interval]))`, "{{pipeline}}"],
        ]),
        timeSeries(
          { title: "Lag", description: "Messages that a role has not yet taken in.", unit: "short" },
          [[`sum by (pipeline, role) (logguardian_consumer_lag{${of}})`, "{{pipeline}} {{role}}"]],
        ),
        timeSeries(
          {
            title: "From a line to its verdict",
            description:
              "Of windows that this line closed; since its event time, so that late shippers show here, too.",
            unit: "s",
          },
          quantiles("record_to_verdict_seconds", of, "pipeline"),
        ),
      ],
    },
  ],
);
