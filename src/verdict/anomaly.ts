import { Type } from "typebox";
import { Value } from "typebox/value";
import { encodeToFit } from "../cut-to-fit.ts";
import { LogGuardianError } from "../errors.ts";
import type { Line } from "../ingest/line.ts";
import type { Verdict } from "./verdict.ts";

/**
 * A verdict as subscribers of the anomalies topic see it: names of the Elastic Common Schema where it has them,
 * `logguardian` for the rest. A function of the verdict alone, so that a repeat is equal byte for byte.
 */
export interface Anomaly {
  /** Event time of the window's last line. */
  "@timestamp": string;
  message: string;
  event: {
    kind: "alert" | "event";
    category: ["process"];
    /** The window's id, which is the verdict's. */
    id: string;
    /** 0 to 100: the score. */
    severity: number;
    start: string;
    end: string;
  };
  host?: { name: string };
  log?: { file: { path: string } };
  logguardian: {
    verdict: Verdict["verdict"];
    /** Why it is undecided. */
    reason?: string;
    revision: number;
    /** Of a window that was found anomalous before it closed: see `EarlyStage`. */
    early?: EarlyStage;
    /** Where the lines of a window that moved are now: the id of the verdict. */
    movedTo?: string;
    pipeline: string;
    /** Label of the replay that judged again; live verdicts have none. */
    replay?: string;
    key: string;
    model: { name: string; version: string };
    score: number | null;
    margin: number | null;
    threshold: number;
    /** How unlike all lines of training the most unlike line is, 0 to 2; where the bundle can tell. */
    novelty?: number;
    fingerprint?: string;
    window: { lines: number; scored: number; closed: string };
    lines: AnomalyLine[];
  };
}

/**
 * `raised`: the window is open, and its score stays above the threshold. When it has closed, its final revision follows:
 * `confirmed`, or `withdrawn` where it is normal; or `moved`: its lines stand in another window, whose verdict this is.
 */
export const earlyStages = ["raised", "confirmed", "withdrawn", "moved"] as const;
export type EarlyStage = (typeof earlyStages)[number];

export interface AnomalyLine {
  text: string;
  masked: string;
  time: string;
  /** How much lower the margin is when the question does not see the line and its equals; only where it was computed. */
  weight?: number;
  novelty?: number;
  host?: string;
  file?: string;
  pod?: string;
  container?: string;
  /** topic, partition, offset and index within the record. */
  position: string;
}

/** Of a published verdict: Kafka's default limit of a batch is 1 MB. */
const maxBytes = 900_000;

/** @param replay label of the replay that judges, if one does. */
export function anomalyOf(verdict: Verdict, replay?: string): Anomaly {
  const { window, fingerprint, reason, novelty } = verdict;
  const [start, end] = [isoTime(window.start), isoTime(window.end)];
  const hosts = new Set(window.lines.map(({ origin }) => origin.host));
  const files = new Set(window.lines.map(({ origin }) => origin.file));
  const [host, file] = [onlyOf(hosts), onlyOf(files)];
  return {
    "@timestamp": end,
    message: summaryOf(verdict),
    event: {
      kind: verdict.verdict === "normal" ? "event" : "alert",
      category: ["process"],
      id: window.id,
      severity: Math.round(100 * (verdict.score ?? 0)),
      start,
      end,
    },
    ...(host === undefined ? {} : { host: { name: host } }),
    ...(file === undefined ? {} : { log: { file: { path: file } } }),
    logguardian: {
      verdict: verdict.verdict,
      ...(reason === undefined ? {} : { reason }),
      revision: window.revision,
      pipeline: window.pipeline,
      ...(replay === undefined ? {} : { replay }),
      key: window.key,
      model: verdict.model,
      score: verdict.score,
      margin: verdict.margin,
      threshold: verdict.threshold,
      ...(novelty === undefined ? {} : { novelty }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      window: { lines: window.lines.length, scored: verdict.linesScored, closed: window.reason },
      lines: window.lines.map((line, place) =>
        lineOf(line, verdict.weights?.[place], verdict.lineNovelties?.[place]),
      ),
    },
  };
}

/** As JSON of at most 900 kB: see `encodeToFit`. */
export function encodeAnomaly(anomaly: Anomaly): Buffer {
  const { lines } = anomaly.logguardian;
  return encodeToFit(lines, lines, () => Buffer.from(JSON.stringify(anomaly)), maxBytes);
}

/** What is read of a verdict again; more may stand in it. */
const readSchema = Type.Object({
  message: Type.String(),
  event: Type.Object({ id: Type.String(), start: Type.String(), end: Type.String() }),
  host: Type.Optional(Type.Object({ name: Type.String() })),
  log: Type.Optional(Type.Object({ file: Type.Object({ path: Type.String() }) })),
  logguardian: Type.Object({
    verdict: Type.String(),
    revision: Type.Integer(),
    early: Type.Optional(Type.String()),
    pipeline: Type.String(),
    replay: Type.Optional(Type.String()),
    key: Type.String(),
    model: Type.Object({ name: Type.String(), version: Type.String() }),
    score: Type.Union([Type.Number(), Type.Null()]),
    threshold: Type.Number(),
    fingerprint: Type.Optional(Type.String()),
    window: Type.Object({ lines: Type.Integer(), closed: Type.String() }),
    lines: Type.Array(
      Type.Object({ text: Type.String(), masked: Type.String(), weight: Type.Optional(Type.Number()) }),
    ),
  }),
});

/** @throws LogGuardianError LG_ANOMALY for what is no verdict of ours. */
export function parseAnomaly(value: Buffer | null): Anomaly {
  const refuse = (cause?: unknown) =>
    new LogGuardianError(
      "LG_ANOMALY",
      "A message on the anomalies topic is no verdict of LogGuardian.",
      "Check who else writes to the topic.",
      cause,
    );
  let content: unknown;
  try {
    content = JSON.parse(value?.toString("utf8") ?? "");
  } catch (thrown) {
    throw refuse(thrown);
  }
  if (!Value.Check(readSchema, content)) throw refuse();
  return content as unknown as Anomaly;
}

function lineOf(line: Line, weight: number | undefined, novelty: number | undefined): AnomalyLine {
  const { text, masked, time, origin, position } = line;
  const { topic, partition, offset, index } = position;
  return {
    text,
    masked,
    time: isoTime(time),
    ...(weight === undefined ? {} : { weight }),
    ...(novelty === undefined ? {} : { novelty }),
    ...origin,
    position: `${topic}:${partition}:${offset}:${index}`,
  };
}

function summaryOf({ verdict, window, score }: Verdict): string {
  const what = `${window.lines.length} lines of ${window.key}`;
  if (verdict === "undecided") return `Undecided: ${what}`;
  return `${verdict === "anomalous" ? "Anomalous" : "Normal"}: ${what}, score ${(score ?? 0).toFixed(3)}`;
}

function onlyOf(values: Set<string | undefined>): string | undefined {
  const [only] = values;
  return values.size === 1 ? only : undefined;
}

/** A time outside the range of dates becomes the epoch: a verdict must not fail on a broken clock. */
export function isoTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

/** Headers of a published verdict: what repeats, revisions and replays are told by. */
export function headersOf({ event, logguardian }: Anomaly): Record<string, string> {
  const { revision, replay } = logguardian;
  return {
    "lg-id": event.id,
    "lg-revision": String(revision),
    ...(replay === undefined ? {} : { "lg-replay": replay }),
  };
}

type Revised = { logguardian: Pick<Anomaly["logguardian"], "early" | "revision"> };

/** Whether it says more of its window than the other: a final verdict more than any early one. */
export function isNewer(anomaly: Revised, other: Revised): boolean {
  const [ours, others] = [anomaly, other].map(({ logguardian }) => logguardian.early === "raised");
  return ours === others ? anomaly.logguardian.revision >= other.logguardian.revision : others === true;
}
