import {
  noConfusion,
  type ShadowCounts,
  type ShadowDifference,
  type ShadowMessage,
  type ShadowModel,
  type ShadowPair,
} from "../verdict/shadow.ts";

/** What the next bundle of a pipeline would change, as far as the shadow topic tells. */
export interface ShadowReport extends ShadowPair {
  pipeline: string;
  from: string;
  to: string;
  /** Compared windows; those that a restart repeated count twice. */
  windows: number;
  /** Share of them with one verdict; null where there are none. */
  agreement: number | null;
  confusion: ShadowCounts["confusion"];
  scoreDifference: { mean: number | null; max: number | null };
  leftOut: number;
  /** Each window once; those that are furthest apart first, of windows with equal lines the first alone. */
  differences: Omit<ShadowDifference, "kind" | "pipeline" | "models">[];
}

/** Of windows that differ so many are held, twice at most: a topic may have very many. */
const held = 500;

/** Collects the topic's messages; of each pipeline the two bundles that were compared last count. */
export function createShadowReports(only: string | undefined, top: number) {
  const counts = new Map<string, ShadowCounts[]>();
  const differences = new Map<string, Map<string, ShadowDifference>>();
  return {
    add(message: ShadowMessage): void {
      if (only !== undefined && message.pipeline !== only) return;
      const pair = nameOf(message);
      if (message.kind === "counts") counts.set(pair, [...(counts.get(pair) ?? []), message]);
      else differences.set(pair, keepFurthest((differences.get(pair) ?? new Map()).set(message.id, message)));
    },
    reports(): ShadowReport[] {
      const newest = new Map<string, string>();
      const latest = (pair: string) =>
        counts.get(pair)?.reduce((last, { to }) => (to > last ? to : last), "") ?? "";
      for (const [pair, [first]] of counts) {
        if (first === undefined) continue;
        const known = newest.get(first.pipeline);
        if (known === undefined || latest(pair) > latest(known)) newest.set(first.pipeline, pair);
      }
      return [...newest.values()]
        .sort()
        .map((pair) => reportOf(counts.get(pair) ?? [], [...(differences.get(pair)?.values() ?? [])], top));
    },
  };
}

function nameOf({ pipeline, models: { live, next } }: ShadowMessage): string {
  const model = ({ id, threshold }: ShadowModel) => [id, threshold];
  return JSON.stringify([pipeline, model(live), model(next)]);
}

function reportOf(
  all: readonly ShadowCounts[],
  apart: readonly ShadowDifference[],
  top: number,
): ShadowReport {
  const [first] = all;
  if (first === undefined) throw new Error("There is a report where nothing was counted.");
  const confusion = noConfusion();
  const score = { sum: 0, max: 0, windows: 0 };
  let [leftOut, from, to] = [0, first.from, first.to];
  for (const one of all) {
    for (const live of ["normal", "anomalous", "undecided"] as const)
      for (const next of ["normal", "anomalous", "undecided"] as const)
        confusion[live][next] += one.confusion[live][next];
    score.sum += one.scoreDifference.sum;
    score.max = Math.max(score.max, one.scoreDifference.max);
    score.windows += one.scoreDifference.windows;
    leftOut += one.leftOut;
    from = one.from < from ? one.from : from;
    to = one.to > to ? one.to : to;
  }
  const windows = Object.values(confusion).reduce(
    (sum, row) => sum + row.normal + row.anomalous + row.undecided,
    0,
  );
  const same = confusion.normal.normal + confusion.anomalous.anomalous + confusion.undecided.undecided;
  return {
    pipeline: first.pipeline,
    ...first.models,
    from,
    to,
    windows,
    agreement: windows === 0 ? null : same / windows,
    confusion,
    scoreDifference:
      score.windows === 0 ? { mean: null, max: null } : { mean: score.sum / score.windows, max: score.max },
    leftOut,
    differences: examplesOf(apart, top),
  };
}

function examplesOf(apart: readonly ShadowDifference[], top: number): ShadowReport["differences"] {
  const seen = new Set<string>();
  return apart
    .toSorted(furthestFirst)
    .filter(({ lines }) => {
      const key = JSON.stringify(lines.map(({ masked }) => masked));
      return !seen.has(key) && seen.add(key);
    })
    .slice(0, top)
    .map(({ kind: _, pipeline: __, models: ___, ...difference }) => difference);
}

function furthestFirst(a: ShadowDifference, b: ShadowDifference): number {
  const distance = ({ live, next }: ShadowDifference) => Math.abs((live.score ?? 0) - (next.score ?? 0));
  return distance(b) - distance(a) || a.id.localeCompare(b.id);
}

function keepFurthest(all: Map<string, ShadowDifference>): Map<string, ShadowDifference> {
  if (all.size <= 2 * held) return all;
  return new Map(
    [...all.values()]
      .sort(furthestFirst)
      .slice(0, held)
      .map((one) => [one.id, one]),
  );
}
