import { originKey } from "../ingest/keys.ts";
import type { Origin } from "../ingest/line.ts";
import { type Anomaly, type AnomalyLine, isNewer } from "./anomaly.ts";
import { heaviestPublished } from "./fingerprint.ts";

/** What is asked of an anomaly to group it: `detect` prints no more. */
export interface Judged {
  event: Pick<Anomaly["event"], "id" | "start" | "end">;
  logguardian: Pick<
    Anomaly["logguardian"],
    "verdict" | "early" | "revision" | "pipeline" | "fingerprint" | "key" | "model"
  > & { score?: number | null; lines: Pick<AnomalyLine, "text" | "masked" | "weight" | keyof Origin>[] };
}

/** Anomalous windows of one fingerprint. */
export interface Pattern {
  fingerprint: string;
  pipeline: string;
  windows: number;
  /** Event times of the first window's begin and of the last one's end. */
  firstSeen: string;
  lastSeen: string;
  /** Where its heaviest line was written: how many such places. */
  origins: number;
  /** Masked lines that stand in all of the windows, those that weigh most in the newest first. */
  commonLines: string[];
  newest: Judged;
}

/** An anomalous window, as far as it is grouped. */
export interface Sighting {
  pipeline: string;
  fingerprint: string;
  /** Event times of its first and last line. */
  start: string;
  end: string;
  origin: string;
}

export interface Group<Seen extends Sighting> {
  fingerprint: string;
  pipeline: string;
  firstSeen: string;
  lastSeen: string;
  /** How many of each. */
  origins: ReadonlyMap<string, number>;
  /** In the order they were given in. */
  seen: readonly Seen[];
  newest: Seen;
}

/** By pipeline and fingerprint. What is seen most comes first. */
export function groupsOf<Seen extends Sighting>(sightings: Iterable<Seen>): Group<Seen>[] {
  const groups = Map.groupBy(sightings, ({ pipeline, fingerprint }) => `${pipeline} ${fingerprint}`);
  return [...groups.values()]
    .map(groupOf)
    .sort((a, b) => b.seen.length - a.seen.length || (a.fingerprint < b.fingerprint ? -1 : 1));
}

function groupOf<Seen extends Sighting>(seen: readonly Seen[]): Group<Seen> {
  const newest = seen.reduce((latest, one) => (one.end >= latest.end ? one : latest));
  const origins = new Map<string, number>();
  for (const { origin } of seen) origins.set(origin, (origins.get(origin) ?? 0) + 1);
  return {
    fingerprint: newest.fingerprint,
    pipeline: newest.pipeline,
    firstSeen: seen.reduce((first, { start }) => (start < first ? start : first), newest.start),
    lastSeen: newest.end,
    origins,
    seen,
    newest,
  };
}

/** Of final verdicts: the newest of each window. What is seen most comes first. */
export function patternsOf(anomalies: Iterable<Judged>): Pattern[] {
  const newest = new Map<string, Judged>();
  for (const anomaly of anomalies) {
    const before = newest.get(anomaly.event.id);
    if (before === undefined || isNewer(anomaly, before)) newest.set(anomaly.event.id, anomaly);
  }
  return groupsOf([...newest.values()].flatMap(sightingOf)).map(patternOf);
}

/** Where the line was written that weighs most. */
function originOf(lines: Judged["logguardian"]["lines"]): string {
  const [heaviest = 0] = heaviestPublished(lines);
  return originKey(lines[heaviest] ?? {});
}

interface Seen extends Sighting {
  anomaly: Judged;
}

function sightingOf(anomaly: Judged): Seen[] {
  const { event, logguardian } = anomaly;
  const { verdict, early, pipeline, fingerprint } = logguardian;
  if (verdict !== "anomalous" || early === "moved" || fingerprint === undefined) return [];
  return [
    {
      pipeline,
      fingerprint,
      start: event.start,
      end: event.end,
      origin: originOf(logguardian.lines),
      anomaly,
    },
  ];
}

function patternOf({ newest, seen, origins, ...group }: Group<Seen>): Pattern {
  const sets = seen.map(({ anomaly }) => new Set(anomaly.logguardian.lines.map(({ masked }) => masked)));
  const weights = new Map<string, number>();
  for (const { masked, weight = 0 } of newest.anomaly.logguardian.lines)
    weights.set(masked, Math.max(weight, weights.get(masked) ?? weight));
  return {
    ...group,
    windows: seen.length,
    origins: origins.size,
    commonLines: [...weights]
      .filter(([masked]) => sets.every((set) => set.has(masked)))
      .sort(([, a], [, b]) => b - a)
      .map(([masked]) => masked),
    newest: newest.anomaly,
  };
}
