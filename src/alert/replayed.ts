import type { Anomaly } from "../verdict/anomaly.ts";
import { type Alert, alertOf } from "./alert.ts";
import { type ContentOptions, contentOf, fingerprintOf, identityOf } from "./content.ts";
import type { ActiveAlert } from "./store.ts";
import { modelName } from "./suppression.ts";
import { tellablesOf } from "./telling.ts";

/** Alerts of a replay, told once at its end: many windows of one fingerprint are one alert. */
export interface ReplayedAlerts {
  add(anomaly: Anomaly): void;
  all(): Alert[];
}

/** @param options.maxActive alerts that are told one by one at most, of those with the most windows. */
export function createReplayedAlerts(
  options: ContentOptions & { pipeline: string; replay: string; holdMs: number; maxActive: number },
): ReplayedAlerts {
  const { holdMs, maxActive } = options;
  const active = new Map<string, ActiveAlert>();
  return {
    add(anomaly) {
      const identity = identityOf(anomaly, options);
      const now = Date.now();
      const { firstSeen, times } = active.get(identity) ?? { firstSeen: now, times: 0 };
      active.set(identity, {
        identity,
        fingerprint: fingerprintOf(anomaly),
        ...{ openedAt: firstSeen, firstSeen, lastSeen: now, endsAt: now + holdMs, times: times + 1 },
        ...contentOf(anomaly, options),
        ...{ isOver: false, isHeldBack: false },
        model: modelName(anomaly.logguardian.model),
      });
    },
    all() {
      const alerts = [...active.values()].toSorted((a, b) => b.times - a.times);
      for (const one of alerts.slice(maxActive)) one.isHeldBack = true;
      const now = Date.now();
      const state = {
        alerts,
        suppressions: [],
        ...(alerts.length > maxActive ? { storm: { openedAt: now } } : {}),
      };
      const labels = { ...options.labels, replay: options.replay };
      return tellablesOf(state, { ...options, labels, now }).map(alertOf);
    },
  };
}
