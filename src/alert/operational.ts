import type { AlertContent } from "./alert.ts";
import type { ActiveAlert, AlertState } from "./store.ts";
import { counted } from "./wording.ts";

/** Of the pipeline. */
export interface OperationalOptions {
  pipeline: string;
  /** Its labels for alerts. */
  labels: Record<string, string>;
  publicUrl?: string | undefined;
}

const loudest = 5;
const shownReasons = 5;

/** One alert for all that are more than people read. @param active all that go on, held back or not. */
export function stormContent(
  { pipeline, labels, publicUrl }: OperationalOptions,
  active: readonly ActiveAlert[],
): AlertContent {
  const heldBack = active.filter(({ isHeldBack }) => isHeldBack);
  const fingerprints = new Set(active.map(({ fingerprint }) => fingerprint)).size;
  const loud = active.toSorted((a, b) => b.times - a.times).slice(0, loudest);
  return {
    // Among those that are held back may be any.
    labels: { severity: "critical", ...labels, alertname: "LogAnomalyStorm", pipeline },
    annotations: {
      summary: `Anomaly storm in ${pipeline}: ${counted(fingerprints, "kind")} of anomaly at once`,
      held_back: `${counted(heldBack.length, "alert")} of ${active.length} held back; the others were told before it began`,
      loudest: loud
        .map(
          ({ fingerprint, times, annotations }) =>
            `${fingerprint}  ${counted(times, "window")}  ${annotations.summary}`,
        )
        .join("\n"),
      next: [
        "So many at once mostly have one cause: look at what was deployed or failed when it began, and whether a log format changed.",
        `What they have in common: logguardian explain --patterns --pipeline ${pipeline}`,
        "It ends when half as many go on as the pipeline's alert.maxActive; what goes on then is told one by one.",
      ].join("\n"),
      ...(publicUrl === undefined ? {} : { link: `${publicUrl.replace(/\/+$/, "")}/` }),
    },
  };
}

/** One alert for all windows that could not be judged: of what is in them nothing is known. */
export function undecidedContent(
  { pipeline, labels }: OperationalOptions,
  { times, lastSeen, reasons }: NonNullable<AlertState["undecided"]>,
): AlertContent {
  const counts = Object.entries(reasons).sort(([, a], [, b]) => b - a);
  const more = counts.length - shownReasons;
  return {
    // Whatever severity the pipeline gives to anomalies: this is none.
    labels: { ...labels, severity: "warning", alertname: "LogGuardianUndecided", pipeline },
    annotations: {
      summary: `${counted(times, "window")} of ${pipeline} could not be judged; anomalies in them are not seen`,
      reasons: [
        ...counts.slice(0, shownReasons).map(([reason, count]) => `${reason}: ${counted(count, "window")}`),
        ...(more > 0 ? [`and ${counted(more, "other reason")}`] : []),
      ].join("\n"),
      last_seen: new Date(lastSeen).toISOString(),
      next: [
        "Run logguardian doctor where the detector runs, and read its log.",
        "The windows stand on the anomalies topic with the verdict undecided; logguardian replay judges their records again.",
      ].join("\n"),
    },
  };
}
