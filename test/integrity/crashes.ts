import { roles } from "../support/stream.ts";
import type { Fault } from "./fault.ts";

/** SIGKILL of every role at random moments. */
export const crashes: Fault = {
  promise: "processes may crash",
  async inflict(trial, { quick }) {
    const each = quick ? 3 : 30;
    // Each role on its own, so that they also die together.
    await Promise.all(
      roles.map(async (role) => {
        for (let time = 0; time < each; time++) {
          await trial.pause(500, 4_000);
          trial.storm.kill(role);
          await trial.storm.start(role);
        }
      }),
    );
    return { faults: `${each} SIGKILL each of ${roles.join(", ")}` };
  },
};
