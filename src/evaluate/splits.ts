import { createRandom } from "../simulate/random.ts";
import type { Item, Occurrence } from "./judged-windows.ts";

export const splitKinds = ["random", "chronological"] as const;
export type SplitKind = (typeof splitKinds)[number];

export interface SplitOptions {
  kind: SplitKind;
  /** Share of the windows that are tested, above 0 and below 1. */
  testShare: number;
  seed: number;
}

/**
 * Chronological: the last share in time is tested; a window without a time stands where the file has it. Windows that
 * share lines with tested ones are on neither side. Random: drawn window by window, so copies of one window fall on
 * both sides, and so do windows that overlap, as in most of the literature. Groups stay whole.
 */
export function split(
  occurrences: readonly Occurrence[],
  { kind, testShare, seed }: SplitOptions,
): { rest: Occurrence[]; tested: Occurrence[] } {
  const units = kind === "chronological" ? inTime(unitsOf(occurrences)) : unitsOf(occurrences);
  if (kind === "random") shuffle(units, seed);
  const cut = Math.round(units.length * (1 - testShare));
  const [rest, tested] = [units.slice(0, cut).flat(), units.slice(cut).flat()];
  if (kind === "random") return { rest, tested };
  const both = overlapping(occurrences, new Set(tested));
  return { rest: rest.filter((occurrence) => !both.has(occurrence)), tested };
}

function inTime(units: readonly Occurrence[][]): Occurrence[][] {
  let last = 0;
  return units
    .map((unit) => {
      last = unit[0]?.start ?? last;
      return { unit, time: last };
    })
    .sort((a, b) => a.time - b.time)
    .map(({ unit }) => unit);
}

/** Windows that share lines with one of `tested`, of all in the log's order. */
function overlapping(
  occurrences: readonly Occurrence[],
  tested: ReadonlySet<Occurrence>,
): ReadonlySet<Occurrence> {
  const found = new Set<Occurrence>();
  let testedTo = 0;
  let testedFrom = Number.POSITIVE_INFINITY;
  for (const occurrence of occurrences) {
    const { firstLine, window } = occurrence;
    if (firstLine === undefined) continue;
    if (tested.has(occurrence)) testedTo = firstLine + window.masked.length;
    else if (firstLine < testedTo) found.add(occurrence);
  }
  for (const occurrence of occurrences.toReversed()) {
    const { firstLine, window } = occurrence;
    if (firstLine === undefined) continue;
    if (tested.has(occurrence)) testedFrom = firstLine;
    else if (firstLine + window.masked.length > testedFrom) found.add(occurrence);
  }
  return found;
}

/** Single windows, or the windows of a group together. */
function unitsOf(occurrences: readonly Occurrence[]): Occurrence[][] {
  const groups = new Map<string, Occurrence[]>();
  const units: Occurrence[][] = [];
  for (const occurrence of occurrences) {
    const { group } = occurrence;
    const known = group === undefined ? undefined : groups.get(group);
    if (known !== undefined) {
      known.push(occurrence);
      continue;
    }
    const unit = [occurrence];
    units.push(unit);
    if (group !== undefined) groups.set(group, unit);
  }
  return units;
}

/** Folds of items with about the same share of anomalies in each; copies of a window are one item, so stay together. */
export function foldsOf(items: readonly Item[], folds: number, seed: number): Item[][] {
  const parts: Item[][] = Array.from({ length: folds }, () => []);
  for (const label of [0, 1] as const) {
    const some = items.filter((item) => item.label === label);
    shuffle(some, seed);
    for (const [place, item] of some.entries()) parts[place % folds]?.push(item);
  }
  return parts;
}

/** Fisher and Yates, in place. */
function shuffle(list: unknown[], seed: number): void {
  const random = createRandom(seed);
  for (let last = list.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [list[last], list[other]] = [list[other], list[last]];
  }
}
