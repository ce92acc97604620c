import { type Group, groupsOf, type Sighting } from "../verdict/patterns.ts";
import type { AnomalyIndex, IndexedAnomaly, StatedFeedback } from "./anomaly-index.ts";
import { type AnomalyQuery, anomaliesLike, isWanted } from "./anomaly-search.ts";
import { fingerprintName } from "./index-entry.ts";
import { type ConfiguredBundles, suppressedNow } from "./suppressions.ts";

/** Windows that a caller may see, the newest, and among how many; patterns shown; origins of each by name. */
const mostWindows = 50_000;
const mostLookedAt = 4 * mostWindows;
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

/** What groups need: of tens of thousands no more is held. */
interface Seen extends Sighting {
  novelty: number | null;
  score: number | null;
  judgement?: StatedFeedback["judgement"];
}

/** @param query without a time: all that there is. */
export async function anomalyPatterns(
  index: AnomalyIndex,
  query: AnomalyQuery,
  { buckets, now, bundles }: { buckets: number; now: number; bundles: ConfiguredBundles },
): Promise<Patterns> {
  const seen: Seen[] = [];
  const newest = new Map<string, IndexedAnomaly>();
  let isPartial = false;
  let [lookedAt, windows] = [0, 0];
  for await (const one of anomaliesLike(index, query)) {
    const isVisible = query.isVisible(one.summary.pipeline);
    if (++lookedAt > mostLookedAt || (isVisible && ++windows > mostWindows)) {
      isPartial = true;
      break;
    }
    if (!isVisible) continue;
    if (!isWanted(one, { ...query, verdict: "anomalous" })) continue;
    const sighting = sightingOf(one);
    seen.push(sighting);
    const name = fingerprintName(sighting);
    if (one.summary.end >= (newest.get(name)?.summary.end ?? "")) newest.set(name, one);
  }
  const ends = seen.map(({ end }) => Date.parse(end));
  // From the newest backwards.
  const to = query.to ?? ends[0] ?? now;
  const from = Math.min(to, query.from ?? ends.at(-1) ?? to);
  const suppressed = await suppressedNow(index, now, bundles);
  const groups = groupsOf(seen);
  return {
    from,
    to,
    isPartial: isPartial || groups.length > mostPatterns,
    patterns: groups.slice(0, mostPatterns).flatMap((group) => {
      const [name, pattern] = [fingerprintName(group), patternOf(group, { from, to, buckets })];
      const newestOfIt = newest.get(name);
      return newestOfIt === undefined
        ? []
        : { ...pattern, isSuppressed: suppressed.has(name), newest: newestOfIt };
    }),
  };
}

function sightingOf({ summary, feedback }: IndexedAnomaly): Seen {
  const { pipeline, fingerprint, start, end, origin, novelty, score } = summary;
  return {
    ...{ pipeline, fingerprint: fingerprint ?? "none", start, end, origin, novelty, score },
    ...(feedback === undefined ? {} : { judgement: feedback.judgement }),
  };
}

function patternOf(
  { seen, newest: _, origins, ...group }: Group<Seen>,
  time: { from: number; to: number; buckets: number },
): Omit<IndexedPattern, "isSuppressed" | "newest"> {
  const said = (judgement: string) => seen.filter((one) => one.judgement === judgement).length;
  return {
    ...group,
    windows: seen.length,
    origins: origins.size,
    topOrigins: [...origins]
      .sort(([, a], [, b]) => b - a)
      .slice(0, namedOrigins)
      .map(([name, windows]) => ({ name, windows })),
    trend: trendOf(seen, time),
    novelty: greatest(seen.map(({ novelty }) => novelty)),
    score: greatest(seen.map(({ score }) => score)),
    feedback: { confirmed: said("confirmed"), falseAlarms: said("false-alarm") },
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
