import { dashboardOf, variable } from "../dashboard.ts";
import { quantiles, stat, timeSeries } from "../panels.ts";

const of = 'route=~"$route"';
const rate = (by: string, more = "") =>
  `sum by (${by}) (rate(logguardian_requests_total{${of}${more}}[$__rate_interval]))`;

/** The REST API: its requests, and what it does for them. */
export const api = dashboardOf(
  {
    uid: "logguardian-api",
    title: "LogGuardian API",
    description: "The REST API: its requests, detections and jobs, what people say, and the index.",
  },
  [variable("route", "logguardian_requests_total")],
  [
    {
      title: "Now",
      panels: [
        stat({ title: "Requests", description: "A second.", unit: "reqps", width: 8 }, [
          `sum(rate(logguardian_requests_total{${of}}[$__rate_interval]))`,
          "requests",
        ]),
        stat(
          {
            title: "Errors",
            description: "Share of requests answered with 5xx.",
            unit: "percentunit",
            width: 8,
          },
          [
            `(sum(rate(logguardian_requests_total{${of}, status=~"5.."}[$__rate_interval])) or vector(0)) / sum(rate(logguardian_requests_total{${of}}[$__rate_interval]))`,
            "errors",
          ],
          { bad: 0.05 },
        ),
        stat(
          {
            title: "Refused for load",
            description: "Share of requests answered with 429: the queue was full, or a caller too fast.",
            unit: "percentunit",
            width: 8,
          },
          [
            `(sum(rate(logguardian_requests_total{${of}, status="429"}[$__rate_interval])) or vector(0)) / sum(rate(logguardian_requests_total{${of}}[$__rate_interval]))`,
            "refused",
          ],
          { bad: 0.05 },
        ),
      ],
    },
    {
      title: "Requests",
      panels: [
        timeSeries(
          { title: "Request rate", description: "By route.", unit: "reqps", width: 12 },
          [[rate("method, route"), "{{method}} {{route}}"]],
          { stacked: true },
        ),
        timeSeries(
          { title: "Answers", description: "By status.", unit: "reqps", width: 12 },
          [[rate("status"), "{{status}}"]],
          { stacked: true },
        ),
      ],
    },
    {
      title: "Latency",
      panels: [
        timeSeries(
          {
            title: "Latency by route",
            description: "Time to answer; streams are left out.",
            unit: "s",
            width: 12,
          },
          quantiles("request_duration_seconds", of, "route"),
        ),
        timeSeries(
          {
            title: "Latency by method",
            description: "Time to answer; streams are left out.",
            unit: "s",
            width: 12,
          },
          quantiles("request_duration_seconds", of, "method"),
        ),
      ],
    },
    {
      title: "Work and index",
      panels: [
        timeSeries(
          {
            title: "Detections",
            description: "That are being answered or wait; bounded by api.limits.detections.",
            unit: "short",
          },
          [["sum by (instance) (logguardian_detections)", "{{instance}}"]],
        ),
        timeSeries({ title: "Jobs", description: "That ended, by how.", unit: "cps" }, [
          ["sum by (state) (rate(logguardian_jobs_total[$__rate_interval]))", "{{state}}"],
        ]),
        timeSeries({ title: "Feedback", description: "What people said of verdicts.", unit: "cps" }, [
          [
            "sum by (pipeline, judgement) (rate(logguardian_feedback_total[$__rate_interval]))",
            "{{pipeline}} {{judgement}}",
          ],
        ]),
        // Every process of the API says the same of the index that they share.
        timeSeries(
          {
            title: "Anomalies in the index",
            description: "Bounded by api.index.retention and maxBytes.",
            unit: "short",
            width: 12,
          },
          [["max(logguardian_indexed_anomalies)", "anomalies"]],
        ),
        timeSeries(
          {
            title: "Size of the index",
            description: "Bounded by api.index.maxBytes: beyond, the oldest are forgotten.",
            unit: "bytes",
            width: 12,
          },
          [["max(logguardian_index_bytes)", "bytes"]],
        ),
      ],
    },
  ],
);
