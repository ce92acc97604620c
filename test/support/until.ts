import { setTimeout as sleep } from "node:timers/promises";

/** Waits for something, two minutes by default, and says what it was if it does not come. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 120_000,
): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !(await holds()); await sleep(50))
    if (Date.now() > deadline) throw new Error(`It never came that ${what}.`);
}
