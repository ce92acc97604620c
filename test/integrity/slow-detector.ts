import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "./fault.ts";
import { partitions } from "./workloads.ts";

/** One hundredth of its time. */
const [awakeMs, asleepMs] = [20, 1_980];
/** That a partition may get beyond its bound: one answer of the broker, already on its way. */
const fetchBytes = 512 * 1024;
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
    const broken: string[] = [];
    let most = 0;
    for (const detector of detectors)
      for (const bytes of await storm.metric(detector, "logguardian_in_flight_bytes"))
        most = Math.max(most, bytes);
    const bound = trial.inFlightBytes + partitions * fetchBytes;
    if (most > bound) broken.push(`the detector holds ${most} bytes, more than ${bound}`);
    return { faults: `a detector at 1 % for ${seconds} s; at most ${most} bytes in flight`, broken };
  },
};
