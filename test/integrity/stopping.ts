import type { Fault } from "./fault.ts";

/** Times the usual input. */
const fullLoad = 4;

/** SIGTERM under full load: every process ends with 0 within its deadline, and others go on where it stopped. */
export const stopping: Fault = {
  promise: "SIGTERM loses nothing",
  async inflict(trial, { quick, perSecond }) {
    const times = quick ? 3 : 15;
    trial.input.perSecond = fullLoad * perSecond;
    for (let time = 0; time < times; time++) {
      await trial.pause(1_000, 3_000);
      await trial.storm.end();
      await trial.storm.startAll();
    }
    trial.input.perSecond = perSecond;
    return { faults: `${times} SIGTERM of all roles under full load` };
  },
};
