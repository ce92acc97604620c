import { type Anomaly, isNewer } from "./anomaly.ts";

/** Anomalous windows of one fingerprint. */
export interface Pattern {
  fingerprint: string;
  pipeline: string;
  windows: number;
  /** Event times of the first window's begin and of the last one's end. */
  firstSeen: string;
  lastSeen: string;
  /** Hosts, or window keys where no host is known: how many. */
  origins: number;
  /** Masked lines that stand in all of the windows, those that weigh most in the newest first. */
  commonLines: string[];
  newest: Anomaly;
}

/** Of final verdicts: the newest of each window. What is seen most comes first. */
export function patternsOf(anomalies: Iterable<Anomaly>): Pattern[] {
  const newest = new Map<string, Anomaly>();
  for (const anomaly of anomalies) {
    const before = newest.get(anomaly.event.id);
    if (before === undefined || isNewer(anomaly, before)) newest.set(anomaly.event.id, anomaly);
  }
  const groups = new Map<string, Anomaly[]>();
  for (const anomaly of newest.values()) {
    const { verdict, early, pipeline, fingerprint } = anomaly.logguardian;
    if (verdict !== "anomalous" || early === "moved" || fingerprint === undefined) continue;
    const name = `${pipeline} ${fingerprint}`;
    groups.set(name, [...(groups.get(name) ?? []), anomaly]);
  }
  return [...groups.values()]
    .map(patternOf)
    .sort((a, b) => b.windows - a.windows || (a.fingerprint < b.fingerprint ? -1 : 1));
}

function patternOf(group: readonly Anomaly[]): Pattern {
  const times = (part: "start" | "end") => group.map(({ event }) => event[part]).sort();
  const newest = group.reduce((latest, one) => (one.event.end >= latest.event.end ? one : latest));
  const { fingerprint = "", pipeline, lines } = newest.logguardian;
  const sets = group.map((one) => new Set(one.logguardian.lines.map(({ masked }) => masked)));
  const weights = new Map<string, number>();
  for (const { masked, weight = 0 } of lines)
    weights.set(masked, Math.max(weight, weights.get(masked) ?? weight));
  return {
    fingerprint,
    pipeline,
    windows: group.length,
    firstSeen: times("start")[0] ?? "",
    lastSeen: times("end").at(-1) ?? "",
    origins: new Set(group.map(({ host, logguardian }) => host?.name ?? logguardian.key)).size,
    commonLines: [...weights]
      .filter(([masked]) => sets.every((set) => set.has(masked)))
      .sort(([, a], [, b]) => b - a)
      .map(([masked]) => masked),
    newest,
  };
}
