import type { Anomaly } from "../../src/verdict/anomaly.ts";

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
