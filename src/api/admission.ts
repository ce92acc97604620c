import { refusal } from "./problem.ts";

/** A bounded queue: who is admitted waits for their turn, who is not comes again. */
export interface Admission {
  /** The answer ends what was admitted. @throws LogGuardianError LG_API_BUSY. */
  enter(): () => void;
  size(): number;
}

/** How much of the mean the newest duration makes. */
const share = 0.2;

/** @param words of the refusal: what is admitted, and what to do where it is not. */
export function createAdmission(most: number, words: { what: string; remedy: string }): Admission {
  let inside = 0;
  /** Of one that was admitted, seconds. */
  let usual = 1;
  return {
    size: () => inside,
    enter() {
      if (inside >= most)
        throw refusal(
          "LG_API_BUSY",
          `${inside} ${words.what} are being answered, and no more are taken.`,
          words.remedy,
          // When about one of them will have ended.
          { retryAfterSeconds: Math.max(1, usual) },
        );
      inside++;
      const began = performance.now();
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        inside--;
        usual += share * ((performance.now() - began) / 1000 - usual);
      };
    },
  };
}
