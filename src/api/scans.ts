import { createAdmission } from "./admission.ts";
import type { AnomalyIndex } from "./anomaly-index.ts";
import { onRedis, type Patience } from "./patience.ts";

const mostAtOnce = 4;
const longestKeptMs = 2_000;

/** Questions that look at much of the index: few at once, and equal ones together. */
export interface Scans {
  /**
   * @param question equal questions have equal answers.
   * @param look is told by its index when nobody waits for its answer any more.
   * @throws LogGuardianError LG_API_AWAY, LG_API_BUSY.
   */
  ask<Found>(question: unknown, look: (index: AnomalyIndex) => Promise<Found>): Promise<Found>;
  /** Whoever asks from now on is answered by what there is now. */
  forget(): void;
}

export function createScans({ index, within }: { index: AnomalyIndex; within: Patience }): Scans {
  const admission = createAdmission(mostAtOnce, {
    what: "questions about many anomalies",
    remedy: "Try again.",
  });
  const answers = new Map<string, Promise<unknown>>();

  async function admitted<Found>(look: () => Promise<Found>): Promise<Found> {
    const leave = admission.enter();
    try {
      return await look();
    } finally {
      leave();
    }
  }

  return {
    ask<Found>(question: unknown, look: (index: AnomalyIndex) => Promise<Found>) {
      const name = JSON.stringify(question);
      const known = answers.get(name);
      if (known !== undefined) return known as Promise<Found>;
      const began = performance.now();
      const answer = within((signal) => admitted(() => look(whileWanted(index, signal))), onRedis);
      answers.set(name, answer);
      const forget = () => {
        if (answers.get(name) === answer) answers.delete(name);
      };
      answer.then(() => {
        // What was cheap is asked again; what was not is good for as long as it took.
        setTimeout(forget, Math.min(longestKeptMs, performance.now() - began)).unref();
      }, forget);
      return answer;
    },
    forget: () => answers.clear(),
  };
}

/** The index for as long as somebody waits for what is looked for in it. */
export function whileWanted(index: AnomalyIndex, signal: AbortSignal): AnomalyIndex {
  return {
    ...index,
    async page(range, limit) {
      signal.throwIfAborted();
      return index.page(range, limit);
    },
  };
}
