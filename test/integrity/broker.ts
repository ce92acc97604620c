import type { Fault } from "./fault.ts";

/** The broker dies and comes back with its data. */
export const broker: Fault = {
  promise: "the broker may die",
  async inflict(trial, { quick, services }) {
    const [times, downMs] = quick ? [3, 3_000] : [15, 10_000];
    for (let time = 0; time < times; time++) {
      await trial.pause(2_000, 6_000);
      await services.kafka.restart(downMs);
    }
    await trial.pause(2_000, 3_000);
    return { faults: `${times} SIGKILL of Kafka, away for ${downMs / 1000} s` };
  },
};
