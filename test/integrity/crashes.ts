import { roles } from "../support/stream.ts";
import { type Setting, withTrial } from "./setting.ts";
import type { Outcome } from "./trial.ts";
import { sessions, sliding } from "./workloads.ts";

/** SIGKILL of every role at random moments. */
export async function crashes(setting: Setting): Promise<Outcome> {
  const each = setting.quick ? 3 : 30;
  const workloads = [await sessions(setting.lines), await sliding(setting.lines)];
  return withTrial("crashes", setting, workloads, async (trial) => {
    await trial.begin();
    trial.produce(setting.perSecond);
    await trial.pause(1_000, 2_000);
    const victims = trial.shuffled(roles.flatMap((role) => Array.from({ length: each }, () => role)));
    for (const role of victims) {
      await trial.crash(role);
      await trial.pause(200, 1_500);
    }
    await trial.endInput();
    return trial.compare("processes may crash", `${each} SIGKILL each of ${roles.join(", ")}`);
  });
}
