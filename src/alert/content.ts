import { createHash } from "node:crypto";
import type { Anomaly } from "../verdict/anomaly.ts";
import { type AlertContent, severities } from "./alert.ts";
import { nextSteps } from "./next-steps.ts";
import {
  clean,
  confidenceTold,
  counted,
  heaviestLines,
  type LineForm,
  linesTold,
  machinesTold,
  noveltyTold,
  originsTold,
  textOf,
} from "./wording.ts";

/** What a configuration says of a pipeline's alerts. */
export interface ContentOptions {
  /** The pipeline's; its severity wins. */
  labels: Record<string, string>;
  /** Label that holds the host, where all lines have the same. */
  originLabel?: string | undefined;
  lines: LineForm;
  /** A score from which on the severity is critical. */
  criticalFrom: number;
  /** Of the triage page. */
  publicUrl?: string | undefined;
  /** URL of one, for the command that silences. */
  alertmanager?: string | undefined;
}

/** Labels and annotations that one anomalous window gives. */
export function contentOf(anomaly: Anomaly, options: ContentOptions): AlertContent {
  const { logguardian: ours, event, host } = anomaly;
  const { originLabel, lines: form } = options;
  const labels = {
    severity: severities[(ours.score ?? 0) >= options.criticalFrom ? 1 : 0],
    ...options.labels,
    ...(originLabel === undefined || host === undefined ? {} : { [originLabel]: clean(host.name) }),
    alertname: "LogAnomaly",
    pipeline: ours.pipeline,
    fingerprint: fingerprintOf(anomaly),
    ...(ours.replay === undefined ? {} : { replay: ours.replay }),
  };
  const heaviest = heaviestLines(ours.lines);
  const [first] = heaviest;
  const [machines, origins] = [machinesTold(ours.lines), originsTold(ours.lines)];
  const novelty = noveltyTold(ours, form);
  const what = `Anomalous logs in ${ours.pipeline}${machines === undefined ? "" : ` on ${machines}`}`;
  return {
    labels,
    annotations: {
      summary: first === undefined ? what : `${what}: ${textOf(first, form)}`,
      where: origins ?? "The lines name neither host nor file",
      confidence: confidenceTold(ours),
      ...(novelty === undefined ? {} : { novelty }),
      lines: linesTold(heaviest, form),
      window: `${counted(ours.window.lines, "line")}${judgedOf(ours.window)} from ${event.start} to ${event.end}${
        ours.window.closed === "open"
          ? "; it is open, and its final verdict follows"
          : `, closed by ${ours.window.closed}`
      }`,
      // A key may be what a user typed.
      ...(form === "raw" ? { window_key: clean(ours.key) } : {}),
      verdict_id: event.id,
      next: nextSteps(anomaly, labels, options.alertmanager),
      ...linkTo(options.publicUrl, event.id),
    },
  };
}

/** Beyond its bundle's limit nobody has looked. */
function judgedOf({ lines, scored }: Anomaly["logguardian"]["window"]): string {
  return scored < lines ? ` (the first ${scored} of them judged)` : "";
}

/** @param publicUrl of the triage page, where there is one. */
function linkTo(publicUrl: string | undefined, id: string): { link?: string } {
  if (publicUrl === undefined) return {};
  return { link: `${publicUrl.replace(/\/+$/, "")}/#/anomalies/${encodeURIComponent(id)}` };
}

export function fingerprintOf({ logguardian }: Anomaly): string {
  return logguardian.fingerprint ?? "none";
}

/** What makes two anomalous windows one alert, whatever its severity: the fingerprint, and the host where that is a label. */
export function identityOf(anomaly: Anomaly, { originLabel }: Pick<ContentOptions, "originLabel">): string {
  const fingerprint = fingerprintOf(anomaly);
  const host = originLabel === undefined ? undefined : anomaly.host?.name;
  if (host === undefined) return fingerprint;
  return `${fingerprint}-${createHash("sha256").update(host).digest("hex").slice(0, 16)}`;
}

/** How much an alert of these labels weighs against another of the same identity; the same for all that a pipeline's labels name. */
export function rankOf({ severity }: Record<string, string>): number {
  return severity === severities[1] ? 1 : 0;
}
