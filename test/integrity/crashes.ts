import { roles } from "../support/stream.ts";
import { type Setting, withTrial } from "./setting.ts";
import type { Outcome } from "./trial.ts";

/** SIGKILL of every role at random moments. */
export async function crashes(setting: Setting): Promise<Outcome> {
  const each = setting.quick ? 3 : 30;
  return withTrial("crashes", setting, async (trial) => {
    await trial.begin();
    trial.produce(setting.perSecond);
    // Each role on its own, so that they also die together.
    await Promise.all(
      roles.map(async (role) => {
        for (let time = 0; time < each; time++) {
          await trial.pause(500, 4_000);
          await trial.crash(role);
        }
      }),
    );
    await trial.endInput();
    return trial.compare("processes may crash", `${each} SIGKILL each of ${roles.join(", ")}`);
  });
}
