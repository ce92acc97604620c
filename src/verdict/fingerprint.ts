import { createHash } from "node:crypto";
import type { Verdict } from "./verdict.ts";

/** Of a verdict, or of what was published of one. */
interface WeighedLines {
  weights?: readonly (number | undefined)[];
  window: { lines: readonly { masked: string }[] };
}

/** Distinct masked lines that name an anomaly at most: a few tell it apart, many would make each one unique. */
const linesOfFingerprint = 3;

/**
 * The distinct lines of a window with a positive weight, heaviest first; where none is needed by itself, the three that weigh
 * most all the same. Places in the window's list, of equals the first.
 */
export function heaviestLines({ weights, window }: WeighedLines): number[] {
  if (weights === undefined) return [];
  const weightAt = (place: number) => weights[place] ?? Number.NEGATIVE_INFINITY;
  const firsts = new Map<string, number>();
  for (const [place, { masked }] of window.lines.entries())
    if (!firsts.has(masked)) firsts.set(masked, place);
  const all = [...firsts.values()].sort((a, b) => weightAt(b) - weightAt(a) || a - b);
  const positive = all.filter((place) => weightAt(place) > 0);
  return positive.length > 0 ? positive : all.slice(0, linesOfFingerprint);
}

/** The same of a verdict that was published: its lines hold their weights, if they were computed. */
export function heaviestPublished(lines: readonly { masked: string; weight?: number }[]): number[] {
  const weights = lines.map(({ weight }) => weight);
  const isWeighed = weights.some((weight) => weight !== undefined);
  return heaviestLines({ window: { lines }, ...(isWeighed ? { weights } : {}) });
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
