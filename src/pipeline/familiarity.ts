import { LogGuardianError } from "../errors.ts";
import type { Verdict } from "../verdict/verdict.ts";

/** Distinct masked lines that are looked at. */
const mostLines = 1_000;
/**
 * A line is like one of training below, and logs are those of training while most of their lines are. Of 14 systems' logs
 * (LogHub) 74 to 76 % of the distinct lines were in the two that the starter was trained on, and at most 2 % in the others.
 */
const unlikeFrom = 0.05;
const unfamiliarFrom = 0.5;

/** Whether the logs are of a kind that the bundle was trained on: on others its verdicts mean little. */
export interface Familiarity {
  see(verdicts: readonly Pick<Verdict, "window" | "lineNovelties">[]): void;
  /** What is to be said, where they are not, or the bundle cannot tell. */
  doubt(): LogGuardianError | undefined;
}

/** @param fewestLines distinct lines that say something: more where it is asked for ever again, and lines of a fault may come first. */
export function createFamiliarity(
  { name, version }: { name: string; version: string },
  { fewestLines }: { fewestLines: number },
): Familiarity {
  const seen = new Set<string>();
  let unlike = 0;
  return {
    see(verdicts) {
      for (const { window, lineNovelties = [] } of verdicts) {
        if (seen.size >= mostLines) return;
        for (const [place, novelty] of lineNovelties.entries()) {
          const masked = window.lines[place]?.masked;
          if (masked === undefined || seen.has(masked)) continue;
          seen.add(masked);
          if (novelty >= unlikeFrom) unlike++;
        }
      }
    },
    doubt() {
      if (seen.size < fewestLines || unlike < unfamiliarFrom * seen.size) return undefined;
      return new LogGuardianError(
        "LG_UNFAMILIAR",
        `${unlike} of ${seen.size} distinct lines are unlike all that ${name} ${version} was trained on: its verdicts mean little here, normal ones too.`,
        "Train a bundle on these logs: docs/models.md, A first bundle of your own.",
      );
    },
  };
}
