import { createHash } from "node:crypto";
import type { Verdict } from "./verdict.ts";

/** Distinct masked lines that name an anomaly at most: a few tell it apart, many would make each one unique. */
const linesOfFingerprint = 3;

/** The lines of a window with a positive weight, heaviest first: places in the window's list. */
export function heaviestLines({ weights = [] }: Pick<Verdict, "weights">): number[] {
  return weights
    .map((weight, place) => ({ weight, place }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || a.place - b.place)
    .map(({ place }) => place);
}

/** Hash of the pipeline and the masked lines that weigh most: the same for the same fault on another host. */
export function fingerprintOf(verdict: Pick<Verdict, "weights" | "window">): string {
  const { window } = verdict;
  const heaviest = new Set<string>();
  for (const place of heaviestLines(verdict)) {
    if (heaviest.size === linesOfFingerprint) break;
    heaviest.add(window.lines[place]?.masked ?? "");
  }
  return createHash("sha256")
    .update(JSON.stringify([window.pipeline, [...heaviest].sort()]))
    .digest("hex")
    .slice(0, 16);
}
