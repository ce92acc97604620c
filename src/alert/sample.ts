import type { Anomaly } from "../verdict/anomaly.ts";
import { type Alert, alertOf } from "./alert.ts";
import { type ContentOptions, contentOf } from "./content.ts";

/** An alert of no anomaly, with the labels that a real one of the pipeline has; it ends by itself. */
export function sampleAlert(pipeline: string, options: ContentOptions, holdMs: number): Alert {
  const now = Date.now();
  const { labels, annotations } = contentOf(sampleOf(pipeline, new Date(now).toISOString()), options);
  const { link: _, next: __, ...rest } = annotations;
  const summary = `Test of ${pipeline}'s alerts: nothing has happened. ${annotations.summary}`;
  const next = "Nothing. It was sent by logguardian alert test, and ends by itself.";
  return alertOf({ labels, annotations: { ...rest, summary, next }, openedAt: now, endsAt: now + holdMs });
}

function sampleOf(pipeline: string, time: string): Anomaly {
  const line = { time, host: "node-7", file: "/var/log/app.log" };
  const lines = [
    { ...line, text: "disk 3 failed", masked: "disk <NUM> failed", weight: 2.5, position: "sample:0:0:0" },
    {
      ...line,
      text: "retrying 1 of 5",
      masked: "retrying <NUM> of <NUM>",
      weight: 0.8,
      position: "sample:0:1:0",
    },
  ];
  return {
    "@timestamp": time,
    message: "Anomalous: a sample",
    event: { kind: "alert", category: ["process"], id: "sample", severity: 99, start: time, end: time },
    host: { name: line.host },
    logguardian: {
      verdict: "anomalous",
      revision: 0,
      pipeline,
      key: "sample",
      model: { name: "sample", version: "1" },
      score: 0.9,
      margin: 2.2,
      threshold: 0.5,
      fingerprint: "sample",
      window: { lines: lines.length, scored: lines.length, closed: "full" },
      lines,
    },
  };
}
