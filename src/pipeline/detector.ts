import type { Judge } from "../classify/judge.ts";
import { fingerprintOf } from "../verdict/fingerprint.ts";
import type { Verdict } from "../verdict/verdict.ts";
import type { Window } from "../window/window.ts";

export interface Detector {
  /** Judges windows together: equal lines are embedded once, equal windows scored once. Never throws for one window. */
  detect(windows: readonly Window[]): Promise<Verdict[]>;
}

/** The third stage: windows to verdicts. What several callers submit meanwhile is judged in one batch. */
export function createDetector(
  deps: { judge: Judge; model: { name: string; version: string } },
  options: { batchWindows: number },
): Detector {
  const { judge, model } = deps;
  const waiting: {
    window: Window;
    resolve: (verdict: Verdict) => void;
    reject: (reason: unknown) => void;
  }[] = [];
  let running = false;

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    try {
      while (waiting.length > 0) {
        const batch = waiting.splice(0, options.batchWindows);
        try {
          const judgements = await judge.judge(
            batch.map(({ window }) => ({ masked: window.lines.map((line) => line.masked) })),
          );
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

  function verdictOf(window: Window, judgement: Awaited<ReturnType<Judge["judge"]>>[number]): Verdict {
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
