import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "./fault.ts";

/** One hundredth of its time. */
const [awakeMs, asleepMs] = [20, 1_980];
/** Times the usual input. */
const load = 4;

/** A detector that gets little of the processor falls behind, holds no more than it may, and catches up. */
export const slowDetector: Fault = {
  promise: "a detector may be slow",
  async inflict(trial, { quick, perSecond }) {
    const seconds = quick ? 10 : 60;
    const { storm, input } = trial;
    input.perSecond = load * perSecond;
    const detectors = storm.running("detector");
    const send = (signal: NodeJS.Signals) => {
      for (const { child } of detectors) child.kill(signal);
    };
    for (const end = Date.now() + 1_000 * seconds; Date.now() < end; ) {
      send("SIGSTOP");
      await sleep(asleepMs);
      send("SIGCONT");
      await sleep(awakeMs);
    }
    input.perSecond = perSecond;
    const { most, broken } = await trial.inFlight(detectors);
    return { faults: `a detector at 1 % for ${seconds} s; at most ${most} bytes in flight`, broken };
  },
};
