import type { ScoringMarks } from "../classify/scoring-marks.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Window } from "../window/window.ts";

/** A window during whose scoring this many processes died is not tried again. */
const mostTries = 3;

/**
 * Native code may end the process, and what was being scored comes again after the restart. A window that a crash left
 * marked is scored alone, so that no other shares its fate; one that ends the process even so is undecided.
 */
export interface ScoringGuard {
  /** Learns what crashes have left marked; before windows are read again. */
  learn(): Promise<void>;
  /** It is to be scored alone. */
  isSuspect(window: Window): boolean;
  /** It is not to be scored at all. */
  isPoison(window: Window): boolean;
  begin(windows: readonly Window[]): Promise<void>;
  end(windows: readonly Window[]): Promise<void>;
}

export function createScoringGuard({ marks, logger }: { marks: ScoringMarks; logger: Logger }): ScoringGuard {
  /** Tries that ended in a crash, by window. */
  let left = new Map<string, number>();
  const idsOf = (windows: readonly Window[]) => windows.map(({ id }) => id);
  return {
    async learn() {
      left = await marks.left();
    },
    isSuspect: ({ id }) => left.has(id),
    isPoison({ id, key }) {
      const tries = left.get(id) ?? 0;
      if (tries < mostTries) return false;
      logger.error("A window is undecided: the process ended each time that it was scored.", {
        id,
        key,
        tries,
      });
      return true;
    },
    begin: (windows) => marks.begin(new Map(idsOf(windows).map((id) => [id, (left.get(id) ?? 0) + 1]))),
    async end(windows) {
      const ids = idsOf(windows);
      await marks.end(ids);
      for (const id of ids) left.delete(id);
    },
  };
}
