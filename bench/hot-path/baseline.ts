import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Figure, isReached } from "./figure.ts";

/** Of the baseline; the machine has other things to do as well. */
export const tolerance = 0.8;
const file = join(import.meta.dirname, "baseline.json");

export type Baseline = Record<string, number>;

export function readBaseline(): Baseline {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Figures that were not measured keep what the baseline has of them. */
export function updateBaseline(figures: readonly Figure[]): void {
  const found = Object.fromEntries(figures.map(({ name, value }) => [name, value]));
  writeFileSync(file, `${JSON.stringify({ ...readBaseline(), ...found }, undefined, 2)}\n`);
}

/** A sentence for each figure that has become worse. */
export function worseThan(baseline: Baseline, figures: readonly Figure[]): string[] {
  return figures.flatMap((figure) => {
    const { name, value, better, unit } = figure;
    const before = baseline[name];
    if (before === undefined)
      return [`${name}: ${shown(value)}, which the baseline does not have (--update)`];
    const kept = better === "higher" ? value / before : before / value;
    // In milliseconds the machine counts too, and F1 differs by nothing or a window: what is asked of them is the bound.
    const isBound = unit !== "times" && isReached(figure) === true;
    // Not `<`: what is no number is worse.
    return kept >= tolerance || isBound
      ? []
      : [`${name}: ${shown(value)}, where the baseline has ${shown(before)}`];
  });
}

/** To three figures, or four digits after the point where it is small. */
export function shown(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 || value === 0 ? 2 : 4);
}
