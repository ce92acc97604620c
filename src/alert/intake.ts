import type { Anomaly } from "../verdict/anomaly.ts";
import { type ContentOptions, contentOf, fingerprintOf, identityOf, rankOf } from "./content.ts";
import type { ActiveAlert, AlertStore, SeenWindow } from "./store.ts";
import { modelName } from "./suppression.ts";
import { nameOf } from "./telling.ts";

/** What alerts need to know of a verdict. A verdict with its lines is large: a slice of them is not held. */
export interface Brief {
  verdict: Anomaly["logguardian"]["verdict"];
  early: Anomaly["logguardian"]["early"];
  reason: string;
  window: Omit<SeenWindow, "stage">;
}

/** What verdicts changed. */
export interface Change {
  /** Alerts to tell of: the newest of each. */
  alerts: ActiveAlert[];
  /** A storm began, or the first window came that could not be judged: all that goes on is to be told. */
  isMore: boolean;
  suppressed: number;
}

/** Undefined where no alert comes of it. */
export function briefOf(anomaly: Anomaly, options: ContentOptions): Brief | undefined {
  const { verdict, early, reason = "unknown", model } = anomaly.logguardian;
  if (verdict === "normal" && early === undefined) return undefined;
  const content = contentOf(anomaly, options);
  const window = {
    id: anomaly.event.id,
    identity: identityOf(anomaly, options),
    fingerprint: fingerprintOf(anomaly),
    model: modelName(model),
    ...content,
    rank: rankOf(content.labels),
  };
  return { verdict, early, reason, window };
}

/** Takes verdicts into what goes on, in their order. Repeats change nothing. */
export async function takeIn(store: AlertStore, briefs: readonly Brief[]): Promise<Change> {
  // Many windows of one fingerprint are one alert: the newest says it all.
  const alerts = new Map<string, ActiveAlert>();
  const touch = (alert: ActiveAlert | undefined) => alert && alerts.set(nameOf(alert), alert);
  let [isMore, suppressed] = [false, 0];
  for (const { verdict, early, reason, window } of briefs) {
    const { id, identity } = window;
    const now = Date.now();
    const raised = early === undefined || early === "raised" ? undefined : await store.raisedAs(id);
    // Of an undecided window nothing is known: its alert goes on until its time is over.
    const isDecided = verdict !== "undecided" || early === "moved";
    const isWithdrawn = raised !== undefined && isDecided && (early !== "confirmed" || raised !== identity);
    if (isWithdrawn) touch(await store.withdraw({ identity: raised, id }, now));
    // The verdict on the lines that moved stands under their new id.
    if (early === "moved") continue;
    if (verdict === "undecided" && (await store.undecided({ id, reason }, now))) isMore = true;
    if (verdict !== "anomalous") continue;
    const stage = early === "raised" ? early : raised === identity ? "confirmed" : undefined;
    const seen = await store.seen({ ...window, stage }, now);
    for (const alert of seen.alerts) touch(alert);
    if (seen.isStorm) isMore = true;
    if (seen.isSuppressed) suppressed++;
  }
  return { alerts: [...alerts.values()], isMore, suppressed };
}
