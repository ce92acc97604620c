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
  /** All lines, where it is not told. */
  scored?: number | undefined;
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
      window: {
        lines: lines.length,
        scored: told.scored ?? lines.length,
        closed: early === "raised" ? "open" : "gap",
      },
      lines: lines.map((line, offset) => ({
        time,
        ...(host === undefined ? {} : { host, file: "/var/log/app.log" }),
        position: `raw:0:${100 + offset}:0`,
        ...line,
      })),
    },
  };
}

/** A hash as ids are. */
export const idOf = (number: number) => number.toString(16).padStart(32, "0");

export const firstDay = Date.UTC(2026, 10, 24);

/** An anomalous window of one minute, `minute` minutes after the first day's begin. */
export function anomalyAt(
  minute: number,
  ours: Partial<Anomaly["logguardian"]> = {},
  { id = idOf(minute), host = "node-1" } = {},
): Anomaly {
  const iso = (at: number) => new Date(firstDay + 60_000 * at).toISOString();
  const line = (text: string, weight: number) => ({
    ...{ text, masked: text.replace(/\d+/g, "<*>"), time: iso(minute), weight, host },
    position: `raw:0:${minute}:0`,
  });
  return {
    "@timestamp": iso(minute + 1),
    message: "Anomalous: 2 lines",
    event: {
      ...{ kind: "alert", category: ["process"], id, severity: 90 },
      ...{ start: iso(minute), end: iso(minute + 1) },
    },
    host: { name: host },
    logguardian: {
      verdict: "anomalous",
      ...{
        revision: 0,
        pipeline: "hdfs",
        key: `${host}:/a.log`,
        model: { name: "starter", version: "1.1.0" },
      },
      ...{ score: 0.9, margin: 2, threshold: 0.5, novelty: 0.1, fingerprint: "00000000000000aa" },
      window: { lines: 2, scored: 2, closed: "full" },
      lines: [line(`block ${minute} received`, -0.1), line(`exception ${minute} of disk`, 1.5)],
      ...ours,
    },
  };
}
