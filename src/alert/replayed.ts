import type { Anomaly } from "../verdict/anomaly.ts";
import { type Alert, alertOf } from "./alert.ts";
import { type ContentOptions, contentOf, fingerprintOf, identityOf, rankOf } from "./content.ts";
import type { ActiveAlert } from "./store.ts";
import { modelName } from "./suppression.ts";
import { tellablesOf } from "./telling.ts";

/** Alerts of a replay, told once at its end: many windows of one fingerprint are one alert. */
export interface ReplayedAlerts {
  add(anomaly: Anomaly): void;
  /** As they are told now, which is when their hold begins: Alertmanager tells nobody of what has ended. */
  all(): Alert[];
}

/** @param options.maxActive alerts that are told one by one at most, of those with the most windows. */
export function createReplayedAlerts(
  options: ContentOptions & { pipeline: string; replay: string; holdMs: number; maxActive: number },
): ReplayedAlerts {
  const { holdMs, maxActive } = options;
  const found = new Map<string, Omit<ActiveAlert, "endsAt" | "isHeldBack">>();
  return {
    add(anomaly) {
      const identity = identityOf(anomaly, options);
      const now = Date.now();
      const before = found.get(identity);
      const { labels, annotations } = contentOf(anomaly, options);
      const { firstSeen, times } = before ?? { firstSeen: now, times: 0 };
      found.set(identity, {
        identity,
        fingerprint: fingerprintOf(anomaly),
        ...{ openedAt: firstSeen, firstSeen, lastSeen: now, times: times + 1, isOver: false },
        labels: before !== undefined && rankOf(before.labels) > rankOf(labels) ? before.labels : labels,
        annotations,
        model: modelName(anomaly.logguardian.model),
      });
    },
    all() {
      const now = Date.now();
      const alerts = [...found.values()]
        .toSorted((a, b) => b.times - a.times)
        .map((one, place) => ({ ...one, endsAt: now + holdMs, isHeldBack: place >= maxActive }));
      // In the order that they were found in.
      const tooMany = [...found.values()][maxActive];
      const state = {
        alerts,
        suppressions: [],
        ...(tooMany === undefined ? {} : { storm: { openedAt: tooMany.openedAt } }),
      };
      const labels = { ...options.labels, replay: options.replay };
      return tellablesOf(state, { ...options, labels, now }).map(alertOf);
    },
  };
}
