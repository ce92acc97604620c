import type { Services } from "../../scripts/services.mjs";
import { type Outcome, Trial } from "./trial.ts";
import { sessions, sliding } from "./workloads.ts";

/** How long and hard all promises are tried. */
export interface Setting {
  services: Services;
  seed: number;
  quick: boolean;
  /** Lines at hand of each workload; how many are sent depends on how long the faults take. */
  lines: number;
  /** Messages of each workload sent in a second. */
  perSecond: number;
}

/** Runs `body` on sessions and sliding windows; what it started is ended whatever happens, and after a failure the folders of logs are named. */
export async function withTrial(
  name: string,
  { services, seed, lines }: Setting,
  body: (trial: Trial) => Promise<Outcome>,
  /** Times the input that is at hand. */
  load = 1,
): Promise<Outcome> {
  const workloads = [await sessions(load * lines), await sliding(load * lines)];
  const trial = new Trial(name, services, workloads, seed);
  try {
    const outcome = await body(trial);
    await trial.end();
    return outcome;
  } catch (thrown) {
    console.error(`Logs of the processes: ${trial.abandon().join(", ")}`);
    throw thrown;
  }
}
