import type { Judgement } from "../classify/judgement.ts";
import { count, emptyCounts, type Metrics, metricsOf } from "./metrics.ts";

/** What two bundles or methods, A and B, say of one window. */
export interface Pair<Said = Judgement> {
  a: Said;
  b: Said;
  label?: 0 | 1 | undefined;
}

export interface Agreement {
  windows: number;
  /** Share of windows with one verdict; an undecided window agrees with an undecided one alone. */
  agreement: number;
  /** Windows by verdict of A, then of B. */
  confusion: Record<Judgement["verdict"], Record<Judgement["verdict"], number>>;
  /** Pearson's, of the margins of windows that both could judge; null where one of them never varies. */
  marginCorrelation: number | null;
  /** Where labels are there: on the labelled windows. */
  labelled?: { windows: number; a: Metrics; b: Metrics };
}

export function agreementOf(pairs: readonly Pair<Pick<Judgement, "verdict" | "margin">>[]): Agreement {
  const none = () => ({ normal: 0, anomalous: 0, undecided: 0 });
  const confusion = { normal: none(), anomalous: none(), undecided: none() };
  for (const { a, b } of pairs) confusion[a.verdict][b.verdict]++;
  const same = confusion.normal.normal + confusion.anomalous.anomalous + confusion.undecided.undecided;
  const margins = pairs.flatMap(({ a, b }) =>
    a.margin === null || b.margin === null ? [] : [[a.margin, b.margin] as const],
  );
  const result: Agreement = {
    windows: pairs.length,
    agreement: pairs.length === 0 ? 0 : same / pairs.length,
    confusion,
    marginCorrelation: correlationOf(margins),
  };
  const labelled = pairs.filter(({ label }) => label !== undefined);
  if (labelled.length > 0) {
    const [a, b] = [emptyCounts(), emptyCounts()];
    for (const pair of labelled) {
      count(a, pair.a.verdict === "anomalous", pair.label === 1);
      count(b, pair.b.verdict === "anomalous", pair.label === 1);
    }
    result.labelled = { windows: labelled.length, a: metricsOf(a), b: metricsOf(b) };
  }
  return result;
}

/** How far apart two judgements are: by score, since margins of two models have two scales. */
export function distanceOf({ a, b }: Pair): number {
  return a.score === null || b.score === null ? 0 : Math.abs(a.score - b.score);
}

function correlationOf(points: readonly (readonly [number, number])[]): number | null {
  const mean = (place: 0 | 1) => points.reduce((sum, point) => sum + point[place], 0) / points.length;
  const [meanA, meanB] = [mean(0), mean(1)];
  let [together, ofA, ofB] = [0, 0, 0];
  for (const [a, b] of points) {
    together += (a - meanA) * (b - meanB);
    ofA += (a - meanA) ** 2;
    ofB += (b - meanB) ** 2;
  }
  return ofA > 0 && ofB > 0 ? together / Math.sqrt(ofA * ofB) : null;
}
