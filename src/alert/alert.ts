import { shortened } from "../cut-to-fit.ts";
import type { Anomaly, AnomalyLine } from "../verdict/anomaly.ts";
import { visible } from "../verdict/visible.ts";

/** An alert as Alertmanager v2 takes it. */
export interface Alert {
  /** Its identity: few values each. */
  labels: Record<string, string>;
  /** Its evidence; the newest is shown. */
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
}

/** What is known of an anomaly that goes on. */
export interface ActiveAnomaly {
  fingerprint: string;
  /** Wall clock, milliseconds: when it was first and last seen in this spell, and when it ends if nothing more comes. */
  firstSeen: number;
  lastSeen: number;
  endsAt: number;
  /** Windows of this spell. */
  times: number;
  /** The newest of them. */
  newest: AlertContent;
}

/** The part of an anomaly that does not change with time. */
export interface AlertContent {
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

const shownLines = 10;
const fewLines = 3;
const shownCharacters = 400;

/** Labels that tell alerts apart; a configuration cannot set them. */
export const ownLabels = ["alertname", "pipeline", "fingerprint", "replay"];

/** Labels and annotations that one anomalous window gives. @param labels the pipeline's; its severity wins. */
export function contentOf(anomaly: Anomaly, labels: Record<string, string>): AlertContent {
  const { logguardian: ours, event, host, log } = anomaly;
  const score = (ours.score ?? 0).toFixed(3);
  const where =
    host === undefined ? `window key ${ours.key}` : `${host.name}${log ? `:${log.file.path}` : ""}`;
  const heaviest = heaviestFirst(ours.lines).slice(0, shownLines);
  return {
    labels: {
      severity: "warning",
      ...labels,
      alertname: "LogAnomaly",
      pipeline: ours.pipeline,
      fingerprint: ours.fingerprint ?? "none",
      ...(ours.replay === undefined ? {} : { replay: ours.replay }),
    },
    annotations: {
      summary: `Anomalous logs in ${ours.pipeline}: ${clean(heaviest[0]?.text ?? anomaly.message)}`,
      where: clean(where),
      window_key: clean(ours.key),
      since: event.start,
      until: event.end,
      score: `${score} (threshold ${ours.threshold}), ${ours.model.name} ${ours.model.version}`,
      ...(ours.novelty === undefined ? {} : { novelty: noveltyOf(ours.novelty, ours.lines) }),
      lines: heaviest
        .map(
          ({ weight, text, times }) =>
            `${weightOf(weight)}  ${clean(text)}${times > 1 ? ` (${times} times)` : ""}`,
        )
        .join("\n"),
      window:
        ours.window.closed === "open"
          ? `${ours.window.lines} lines so far; it is open, and its final verdict follows`
          : `${ours.window.lines} lines, closed by ${ours.window.closed}`,
      verdict_id: event.id,
      next: `Look at ${clean(where)} from ${event.start} on. All lines: the message with header lg-id ${event.id} on the anomalies topic.`,
    },
  };
}

/** @param active what goes on, or has just ended where its end lies in the past. */
export function alertOf({ newest, firstSeen, lastSeen, endsAt, times }: ActiveAnomaly): Alert {
  return {
    labels: newest.labels,
    annotations: {
      ...newest.annotations,
      times: `${times} windows; first ${iso(firstSeen)}, last ${iso(lastSeen)}`,
    },
    // Never changes while the spell lasts: Alertmanager would take another one for another alert's history.
    startsAt: iso(firstSeen),
    endsAt: iso(endsAt),
  };
}

/** Lines with a positive weight, or the few that weigh most where none has; equals, as the model sees them, once. */
function heaviestFirst(lines: readonly AnomalyLine[]): (AnomalyLine & { times: number })[] {
  const found = new Map<string, AnomalyLine & { times: number }>();
  for (const line of lines) {
    const same = found.get(line.masked);
    if (same !== undefined) same.times++;
    else if (line.weight !== undefined) found.set(line.masked, { ...line, times: 1 });
  }
  const all = [...found.values()].sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0));
  const positive = all.filter(({ weight = 0 }) => weight > 0);
  return positive.length > 0 ? positive : all.slice(0, fewLines);
}

/** How new the window is, for whoever reads the alert. */
function noveltyOf(novelty: number, lines: readonly AnomalyLine[]): string {
  if (novelty === 0) return "0: every line is known from training";
  const newest = lines.find((line) => line.novelty === novelty)?.text ?? "";
  return `${novelty.toFixed(3)} (0 known from training, 1 like nothing in it); newest: ${clean(newest)}`;
}

function weightOf(weight: number | undefined): string {
  return weight === undefined ? "" : `${weight < 0 ? "" : "+"}${weight.toFixed(1)}`;
}

/** One well-formed line of bounded length: it ends in mails and terminals. */
function clean(text: string): string {
  const short = text.length > shownCharacters ? `${shortened(text, shownCharacters)} …` : text;
  return visible(short.toWellFormed());
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
