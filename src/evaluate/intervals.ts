import { createRandom } from "../simulate/random.ts";

/** A figure of several runs: their mean with its 95 % interval. */
export interface MeanFigure {
  mean: number;
  /** null with a single value: one value has no spread. */
  low: number | null;
  high: number | null;
  values: number[];
}

/** A 95 % interval. */
export interface Interval {
  low: number;
  high: number;
}

/** Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom. */
const studentT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const normalQuantile = 1.96;

/** Mean and t-interval of a few shares; undefined of none. No share is below 0 or above 1, so no interval either. */
export function meanOf(values: readonly number[]): MeanFigure | undefined {
  if (values.length === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, low: null, high: null, values: [...values] };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const half = (studentT[values.length - 2] ?? normalQuantile) * Math.sqrt(variance / values.length);
  return { mean, low: Math.max(0, mean - half), high: Math.min(1, mean + half), values: [...values] };
}

/** Draws of all bootstrap samples together: large data sets get fewer samples, not more time. */
const mostDraws = 2e7;

export interface Bootstrap<Name extends string> {
  resamples: number;
  /** A figure that did not exist in a resample is missing there; without any it is null. */
  intervals: Record<Name, Interval | null>;
}

/**
 * Percentile intervals of figures of weighted items. Whole items are drawn, with their weights: copies of one window
 * are not independent. `figures` gets how often each item was drawn.
 */
export function bootstrap<Name extends string>(
  items: number,
  figures: (drawn: Uint32Array) => Record<Name, number | null>,
  seed: number,
): Bootstrap<Name> {
  const resamples = Math.max(200, Math.min(1000, Math.floor(mostDraws / Math.max(1, items))));
  const random = createRandom(seed);
  const found = new Map<Name, number[]>();
  const drawn = new Uint32Array(items);
  for (let sample = 0; sample < resamples; sample++) {
    drawn.fill(0);
    for (let draw = 0; draw < items; draw++) {
      const place = random.below(items);
      drawn[place] = (drawn[place] ?? 0) + 1;
    }
    for (const [name, value] of Object.entries(figures(drawn)) as [Name, number | null][]) {
      const values = found.get(name) ?? [];
      if (value !== null) values.push(value);
      found.set(name, values);
    }
  }
  const intervals = Object.fromEntries([...found].map(([name, values]) => [name, percentiles(values)]));
  return { resamples, intervals: intervals as Record<Name, Interval | null> };
}

function percentiles(values: number[]): Interval | null {
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.round(share * (values.length - 1))];
  const [low, high] = [at(0.025), at(0.975)];
  return low === undefined || high === undefined ? null : { low, high };
}
