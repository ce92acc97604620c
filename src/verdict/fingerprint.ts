import { createHash } from "node:crypto";
import type { Verdict } from "./verdict.ts";

/** Distinct masked lines that name an anomaly at most: a few tell it apart, many would make each one unique. */
const linesOfFingerprint = 3;

/** The distinct lines of a window with a positive weight, heaviest first: places in the window's list, of equals the first. */
export function heaviestLines({ weights = [], window }: Pick<Verdict, "weights" | "window">): number[] {
  const firsts = new Map<string, number>();
  for (const [place, { masked }] of window.lines.entries())
    if ((weights[place] ?? 0) > 0 && !firsts.has(masked)) firsts.set(masked, place);
  return [...firsts.values()].sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
}

/** Hash of the pipeline and the masked lines that weigh most: the same for the same fault on another host. */
export function fingerprintOf(verdict: Pick<Verdict, "weights" | "window">): string {
  const { window } = verdict;
  const heaviest = heaviestLines(verdict).slice(0, linesOfFingerprint);
  const lines = heaviest.map((place) => window.lines[place]?.masked ?? "").sort();
  return createHash("sha256")
    .update(JSON.stringify([window.pipeline, lines]))
    .digest("hex")
    .slice(0, 16);
}
