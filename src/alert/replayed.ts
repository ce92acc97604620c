import type { Anomaly } from "../verdict/anomaly.ts";
import { type ActiveAnomaly, type Alert, alertOf, contentOf } from "./alert.ts";

/** Alerts of a replay, told once at its end: many windows of one fingerprint are one alert. */
export interface ReplayedAlerts {
  add(anomaly: Anomaly): void;
  all(): Alert[];
}

export function createReplayedAlerts(options: {
  labels: Record<string, string>;
  holdMs: number;
}): ReplayedAlerts {
  const active = new Map<string, ActiveAnomaly>();
  return {
    add(anomaly) {
      const { fingerprint = "none" } = anomaly.logguardian;
      const now = Date.now();
      const before = active.get(fingerprint);
      active.set(fingerprint, {
        fingerprint,
        firstSeen: before?.firstSeen ?? now,
        lastSeen: now,
        endsAt: now + options.holdMs,
        times: (before?.times ?? 0) + 1,
        newest: contentOf(anomaly, options.labels),
      });
    },
    all: () => [...active.values()].map(alertOf),
  };
}
