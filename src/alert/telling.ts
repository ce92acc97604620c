import type { Told } from "./alert.ts";
import { type OperationalOptions, stormContent, undecidedContent } from "./operational.ts";
import type { ActiveAlert, AlertState } from "./store.ts";
import { isInForce, type Suppression } from "./suppression.ts";
import { counted } from "./wording.ts";

/** Something that Alertmanagers are to know. */
export interface Tellable extends Told {
  /** Of this very alert: another one of the same fingerprint has another name. */
  name: string;
  /** Ended by what became known: whoever never heard of it need not. */
  isOver: boolean;
}

/** What is to be told now. @param state all that goes on, or some of its alerts. */
export function tellablesOf(
  state: Pick<AlertState, "alerts" | "suppressions"> & Partial<AlertState>,
  options: OperationalOptions & { now: number; holdMs: number },
): Tellable[] {
  const { now, holdMs } = options;
  const told = state.alerts
    .filter(({ isHeldBack }) => !isHeldBack)
    .map((alert) => tellableOf(alert, suppressionOf(alert, state.suppressions, now)));
  const { storm, undecided } = state;
  if (storm !== undefined) {
    const { openedAt, endedAt } = storm;
    const active = state.alerts.filter(
      (alert) => !isEnded(alert, now) && suppressionOf(alert, state.suppressions, now) === undefined,
    );
    const isOver = endedAt !== undefined;
    const endsAt = endedAt ?? now + holdMs;
    told.push({ name: `storm ${openedAt}`, ...stormContent(options, active), openedAt, endsAt, isOver });
  }
  if (undecided !== undefined) {
    const { openedAt, endsAt } = undecided;
    told.push({
      name: `undecided ${openedAt}`,
      ...undecidedContent(options, undecided),
      openedAt,
      endsAt,
      isOver: false,
    });
  }
  return told;
}

export function nameOf({ identity, openedAt }: ActiveAlert): string {
  return `${identity} ${openedAt}`;
}

export function isEnded({ endsAt, isOver }: Pick<ActiveAlert, "endsAt" | "isOver">, now: number): boolean {
  return isOver || endsAt < now;
}

export function suppressionOf(
  { fingerprint, model }: ActiveAlert,
  suppressions: readonly Suppression[],
  now: number,
): Suppression | undefined {
  return suppressions.find((one) => one.fingerprint === fingerprint && isInForce(one, model, now));
}

function tellableOf(alert: ActiveAlert, suppression: Suppression | undefined): Tellable {
  const { labels, annotations, openedAt, firstSeen, lastSeen, times, endsAt, isOver } = alert;
  const since = `${isoTime(firstSeen)}; ${counted(times, "window")}, the last at ${isoTime(lastSeen)}`;
  return {
    name: nameOf(alert),
    labels,
    annotations: { ...annotations, since },
    openedAt,
    ...(suppression === undefined
      ? { endsAt, isOver }
      : { endsAt: Math.min(endsAt, Math.max(openedAt, suppression.appliedAt)), isOver: true }),
  };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
