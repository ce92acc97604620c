import { type Group, groupsOf, type Sighting } from "../verdict/patterns.ts";
import type { AnomalyIndex, IndexedAnomaly } from "./anomaly-index.ts";
import { type AnomalyQuery, anomaliesLike, isWanted } from "./anomaly-search.ts";
import { fingerprintName } from "./index-entry.ts";
import { suppressedNow } from "./suppressions.ts";

/** Windows looked at, the newest; patterns shown; origins of each by name. */
const mostWindows = 50_000;
const mostPatterns = 500;
const namedOrigins = 10;

/** Anomalous windows of one fingerprint, from the index's summaries. */
export interface IndexedPattern
  extends Pick<Group<Seen>, "fingerprint" | "pipeline" | "firstSeen" | "lastSeen"> {
  windows: number;
  origins: number;
  /** Those with the most windows. */
  topOrigins: { name: string; windows: number }[];
  /** Windows by time: from `from` to `to` in equal parts. */
  trend: number[];
  /** The greatest of its windows. */
  novelty: number | null;
  score: number | null;
  feedback: { confirmed: number; falseAlarms: number };
  /** Nobody is alerted of it now. */
  isSuppressed: boolean;
  newest: IndexedAnomaly;
}

export interface Patterns {
  from: number;
  to: number;
  patterns: IndexedPattern[];
  /** Not all windows, or not all patterns. */
  isPartial: boolean;
}

interface Seen extends Sighting, IndexedAnomaly {}

/** @param query without a time: all that there is. */
export async function anomalyPatterns(
  index: AnomalyIndex,
  query: AnomalyQuery,
  { buckets, now }: { buckets: number; now: number },
): Promise<Patterns> {
  const seen: Seen[] = [];
  let isPartial = false;
  let lookedAt = 0;
  for await (const one of anomaliesLike(index, query)) {
    if (++lookedAt > mostWindows) {
      isPartial = true;
      break;
    }
    if (isWanted(one, { ...query, verdict: "anomalous" })) seen.push(sightingOf(one));
  }
  const ends = seen.map(({ end }) => Date.parse(end));
  // From the newest backwards.
  const to = query.to ?? ends[0] ?? now;
  const from = Math.min(to, query.from ?? ends.at(-1) ?? to);
  const suppressed = await suppressedNow(index, now);
  const groups = groupsOf(seen);
  return {
    from,
    to,
    isPartial: isPartial || groups.length > mostPatterns,
    patterns: groups
      .slice(0, mostPatterns)
      .map((group) => patternOf(group, suppressed.has(fingerprintName(group)), { from, to, buckets })),
  };
}

function sightingOf({ summary, feedback }: IndexedAnomaly): Seen {
  const { pipeline, fingerprint, start, end, origin } = summary;
  return {
    ...{ pipeline, fingerprint: fingerprint ?? "none", start, end, origin, summary },
    ...(feedback === undefined ? {} : { feedback }),
  };
}

function patternOf(
  { seen, newest, origins, ...group }: Group<Seen>,
  isSuppressed: boolean,
  time: { from: number; to: number; buckets: number },
): IndexedPattern {
  const said = (judgement: string) => seen.filter(({ feedback }) => feedback?.judgement === judgement).length;
  return {
    ...group,
    windows: seen.length,
    origins: origins.size,
    topOrigins: [...origins]
      .sort(([, a], [, b]) => b - a)
      .slice(0, namedOrigins)
      .map(([name, windows]) => ({ name, windows })),
    trend: trendOf(seen, time),
    novelty: greatest(seen.map(({ summary }) => summary.novelty)),
    score: greatest(seen.map(({ summary }) => summary.score)),
    feedback: { confirmed: said("confirmed"), falseAlarms: said("false-alarm") },
    isSuppressed,
    newest,
  };
}

function trendOf(
  seen: readonly Seen[],
  { from, to, buckets }: { from: number; to: number; buckets: number },
) {
  const trend = new Array<number>(buckets).fill(0);
  const width = Math.max(1, to - from + 1) / buckets;
  for (const { end } of seen) {
    const bucket = Math.floor((Date.parse(end) - from) / width);
    if (trend[bucket] !== undefined) trend[bucket]++;
  }
  return trend;
}

function greatest(values: readonly (number | null)[]): number | null {
  return values.reduce((most, value) => (value === null ? most : Math.max(most ?? value, value)), null);
}
