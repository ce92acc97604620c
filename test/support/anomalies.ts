import type { Anomaly, AnomalyLine } from "../../src/verdict/anomaly.ts";

export interface Told {
  id: string;
  pipeline: string;
  verdict?: "anomalous" | "normal" | "undecided" | undefined;
  early?: Anomaly["logguardian"]["early"];
  fingerprint?: string | undefined;
  score?: number | undefined;
  reason?: string | undefined;
  version?: string | undefined;
  host?: string | undefined;
  novelty?: number | undefined;
  lines?: (Pick<AnomalyLine, "text" | "masked"> & Partial<AnomalyLine>)[] | undefined;
}

/** A verdict as the anomalies topic holds it. */
export function anomalyFor(told: Told): Anomaly {
  const { id, pipeline, verdict = "anomalous", early, fingerprint, score = 0.9, reason, host } = told;
  const time = new Date().toISOString();
  const lines = told.lines ?? [
    { text: `disk 7 failed in ${id}`, masked: "disk <*> failed in <*>", weight: 2.1 },
    { text: `retrying block ${id}`, masked: "retrying block <*>", weight: -0.2 },
  ];
  return {
    "@timestamp": time,
    message: `Anomalous: 2 lines of ${id}`,
    event: { kind: "alert", category: ["process"], id, severity: 90, start: time, end: time },
    ...(host === undefined ? {} : { host: { name: host } }),
    logguardian: {
      verdict,
      ...(reason === undefined ? {} : { reason }),
      revision: early === "raised" ? 1 : 2,
      ...(early === undefined ? {} : { early }),
      pipeline,
      key: `key of ${id}`,
      model: { name: "starter", version: told.version ?? "1.0.0" },
      score: verdict === "undecided" ? null : score,
      margin: verdict === "undecided" ? null : 2,
      threshold: 0.5,
      ...(told.novelty === undefined ? {} : { novelty: told.novelty }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      window: { lines: lines.length, scored: lines.length, closed: early === "raised" ? "open" : "gap" },
      lines: lines.map((line, offset) => ({
        time,
        ...(host === undefined ? {} : { host, file: "/var/log/app.log" }),
        position: `raw:0:${100 + offset}:0`,
        ...line,
      })),
    },
  };
}
