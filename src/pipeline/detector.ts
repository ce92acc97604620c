import type { AskedWindow, Judge } from "../classify/judge.ts";
import type { Judgement } from "../classify/judgement.ts";
import type { LogGuardianError } from "../errors.ts";
import { hasEnded } from "../model/ended.ts";
import { fingerprintOf } from "../verdict/fingerprint.ts";
import type { Verdict } from "../verdict/verdict.ts";
import type { Window } from "../window/window.ts";
import type { ScoringGuard } from "./scoring-guard.ts";

/** Why a window is undecided that no process survived: who asked ends its mark, once that verdict is durable. */
export const crashed = "LG_SCORER_CRASHED";

export interface Detector {
  /** Judges windows together: equal lines are embedded once, equal windows scored once. Never throws for one window. */
  detect(windows: readonly Window[]): Promise<Verdict[]>;
}

/** The third stage: windows to verdicts. What several callers submit meanwhile is judged in one batch. */
export function createDetector(
  deps: { judge: Judge; model: { name: string; version: string }; guard?: ScoringGuard },
  options: { batchWindows: number },
): Detector {
  const { judge, model, guard } = deps;
  const waiting: {
    window: Window;
    resolve: (verdict: Verdict) => void;
    reject: (reason: unknown) => void;
  }[] = [];
  let running = false;
  let ended: LogGuardianError | undefined;

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    try {
      while (waiting.length > 0) {
        const batch = nextBatch();
        try {
          const judgements = await judgementsOf(batch.map(({ window }) => window));
          for (const [place, { window, resolve, reject }] of batch.entries()) {
            const judgement = judgements[place];
            if (judgement === undefined)
              reject(new Error("The judge answered fewer windows than it was asked."));
            else resolve(verdictOf(window, judgement));
          }
        } catch (thrown) {
          for (const { reject } of batch) reject(thrown);
        }
      }
    } finally {
      running = false;
    }
  }

  /** A suspect makes a batch of its own. */
  function nextBatch() {
    const next = waiting.slice(0, options.batchWindows);
    const suspect = next.findIndex(({ window }) => guard?.isSuspect(window) === true);
    return waiting.splice(0, suspect === -1 ? next.length : Math.max(1, suspect));
  }

  async function judgementsOf(windows: readonly Window[]): Promise<Judgement[]> {
    if (guard !== undefined && windows.every((window) => guard.isPoison(window)))
      return windows.map(({ lines }) => judge.undecided(lines.length, crashed));
    if (ended !== undefined) throw ended;
    await guard?.begin(windows);
    try {
      return await judge.judge(windows.map(askedOf));
    } catch (thrown) {
      if (hasEnded(thrown)) ended = thrown;
      throw thrown;
    } finally {
      // What ends the model stays marked, as what ends the process.
      if (ended === undefined) await guard?.end(windows);
    }
  }

  function verdictOf(window: Window, judgement: Judgement): Verdict {
    const verdict: Verdict = { ...judgement, window, model };
    if (judgement.verdict === "anomalous") verdict.fingerprint = fingerprintOf(verdict);
    return verdict;
  }

  return {
    detect(windows) {
      const verdicts = windows.map(
        (window) => new Promise<Verdict>((resolve, reject) => waiting.push({ window, resolve, reject })),
      );
      void run();
      return Promise.all(verdicts);
    },
  };
}

function askedOf({ id, revision, reason, lines }: Window): AskedWindow {
  const masked = lines.map((line) => line.masked);
  if (revision === 0) return { masked };
  // The revisions of an open window are so many lines apart.
  return reason === "open"
    ? { masked, id, linesBefore: lines.length - lines.length / revision }
    : { masked, id };
}
