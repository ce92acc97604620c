import { dashboardOf, variable } from "../dashboard.ts";
import { quantiles, stat, timeSeries } from "../panels.ts";

const of = 'route=~"$route"';
const rate = (by: string, more = "") =>
  `sum by (${by}) (rate(logguardian_requests_total{${of}${more}}[$__rate_interval]))`;

/** The REST API's requests. */
export const api = dashboardOf(
  {
    uid: "logguardian-api",
    title: "LogGuardian API",
    description: "Requests to the REST API: how many, how long, how many fail.",
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
          { title: "Latency by route", description: "Time to answer.", unit: "s", width: 12 },
          quantiles("request_duration_seconds", of, "route"),
        ),
        timeSeries(
          { title: "Latency by method", description: "Time to answer.", unit: "s", width: 12 },
          quantiles("request_duration_seconds", of, "method"),
        ),
      ],
    },
  ],
);
