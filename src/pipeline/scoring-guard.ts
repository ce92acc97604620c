import type { ScoringMarks } from "../classify/scoring-marks.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Window } from "../window/window.ts";

/** A window during whose scoring this many processes died is not tried again. */
const mostTries = 3;

/**
 * Native code may end the process, and what was being scored comes again after the restart. A window that a crash left
 * marked is scored alone, so that no other shares its fate; one that ends the process even so is undecided, and stays
 * marked until that is committed: another one's crash may bring it again before.
 */
export interface ScoringGuard {
  /** Learns what crashes have left marked; before windows are read again. */
  learn(): Promise<void>;
  /** It is to be scored alone. */
  isSuspect(window: Window): boolean;
  /** It is not to be scored at all. */
  isPoison(window: Window): boolean;
  begin(windows: readonly Window[]): Promise<void>;
  /** They were scored, or their verdict without a score is final and committed. */
  end(windows: readonly Window[]): Promise<void>;
}

export function createScoringGuard({ marks, logger }: { marks: ScoringMarks; logger: Logger }): ScoringGuard {
  /** Tries that ended in a crash, by window. */
  let left = new Map<string, number>();
  /** The revisions of a window share its fate, under whichever id. */
  const idsOf = ({ id, formerIds }: Window) => [id, ...formerIds];
  const triesOf = (window: Window) => Math.max(...idsOf(window).map((id) => left.get(id) ?? 0));
  return {
    async learn() {
      left = await marks.left();
    },
    isSuspect: (window) => triesOf(window) > 0,
    isPoison(window) {
      const { id, key } = window;
      const tries = triesOf(window);
      if (tries < mostTries) return false;
      logger.error("A window is undecided: the process ended each time that it was scored.", {
        id,
        key,
        tries,
      });
      return true;
    },
    begin: (windows) => marks.begin(new Map(windows.map((window) => [window.id, triesOf(window) + 1]))),
    async end(windows) {
      // Of former ids those that a crash left marked: a session may have had thousands.
      const ids = windows.flatMap(({ id, formerIds }) => [id, ...formerIds.filter((one) => left.has(one))]);
      await marks.end(ids);
      for (const id of ids) left.delete(id);
    },
  };
}
