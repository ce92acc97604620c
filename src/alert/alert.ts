/** An alert as Alertmanager v2 takes it. */
export interface Alert {
  /** Its identity: few values each. */
  labels: Record<string, string>;
  /** Its evidence; the newest is shown. */
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
  /** Where Alertmanager's own page links to. */
  generatorURL?: string;
}

/** What one window says of its alert. */
export type AlertContent = Pick<Alert, "labels" | "annotations">;

/** By how severe they are. A pipeline's labels may name another, which then holds for all of its alerts. */
export const severities = ["warning", "critical"] as const;

/** Labels that tell alerts apart; a configuration cannot set them. */
export const ownLabels = ["alertname", "pipeline", "fingerprint", "replay"];

/** Something to tell, and of when: an alert without what only the telling knows. */
export interface Told extends AlertContent {
  /** Wall clock, milliseconds. Never changes while it goes on: Alertmanager would take another one for another alert's history. */
  openedAt: number;
  /** When it ends if nothing more comes, or has ended. */
  endsAt: number;
}

export function alertOf({ labels, annotations, openedAt, endsAt }: Told): Alert {
  return {
    labels,
    annotations,
    startsAt: new Date(openedAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    ...(annotations.link === undefined ? {} : { generatorURL: annotations.link }),
  };
}
