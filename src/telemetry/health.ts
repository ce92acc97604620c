/** What a process may wait for without being ill. */
export const waits = [
  "broker-away",
  "redis-away",
  "redis-full",
  "downstream-full",
  "alertmanager-away",
  "schema-registry-away",
] as const;
export type Wait = (typeof waits)[number];

/** Alive by progress, not by answering. */
export interface Health {
  /** A unit of work such as a role of a pipeline. */
  unit(name: string): HealthUnit;
  /** Begins a named wait; the answer ends it. */
  wait(name: Wait): () => void;
  /** `live`: no unit is stuck. `ready`: live, started, and waiting for nothing. */
  state(): { live: boolean; ready: boolean; waits: Wait[]; units: Record<string, UnitState> };
}

export interface HealthUnit {
  started(): void;
  /** Something was done; `inHand` is how much was read and is not done yet. */
  progress(inHand: number): void;
  /** How much that is, though nothing was done. */
  inHand(count: number): void;
  ended(): void;
}

interface UnitState {
  started: boolean;
  inHand: number;
  secondsSinceProgress: number;
}

export function createHealth(
  options: {
    onWait?: (wait: Wait, waiting: boolean) => void;
    /** No progress for this long, with work to do and no named wait, is an illness. */
    stuckAfterMs?: number;
    now?: () => number;
  } = {},
): Health {
  const { now = Date.now, stuckAfterMs = Number.POSITIVE_INFINITY } = options;
  const units = new Map<string, { started: boolean; inHand: number; progressAt: number }>();
  const waiting = new Map<Wait, number>();
  return {
    unit(name) {
      const unit = { started: false, inHand: 0, progressAt: now() };
      units.set(name, unit);
      return {
        started() {
          unit.started = true;
          unit.progressAt = now();
        },
        progress(inHand) {
          unit.inHand = inHand;
          unit.progressAt = now();
        },
        inHand(count) {
          // Work that arrives after idleness starts the clock.
          if (unit.inHand === 0 && count > 0) unit.progressAt = now();
          unit.inHand = count;
        },
        ended: () => void units.delete(name),
      };
    },
    wait(name) {
      waiting.set(name, (waiting.get(name) ?? 0) + 1);
      options.onWait?.(name, true);
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        const left = (waiting.get(name) ?? 1) - 1;
        if (left > 0) waiting.set(name, left);
        else {
          waiting.delete(name);
          options.onWait?.(name, false);
          // Waiting was not being stuck: the clock starts anew.
          for (const unit of units.values()) unit.progressAt = now();
        }
      };
    },
    state() {
      const isWaiting = waiting.size > 0;
      const states = [...units].map(([name, { started, inHand, progressAt }]): [string, UnitState] => [
        name,
        { started, inHand, secondsSinceProgress: Math.round((now() - progressAt) / 1000) },
      ]);
      const stuck = [...units.values()].some(
        ({ inHand, progressAt }) => inHand > 0 && now() - progressAt > stuckAfterMs,
      );
      const live = isWaiting || !stuck;
      return {
        live,
        ready: live && !isWaiting && [...units.values()].every(({ started }) => started),
        waits: [...waiting.keys()],
        units: Object.fromEntries(states),
      };
    },
  };
}
