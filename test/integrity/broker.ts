import { type Setting, withTrial } from "./setting.ts";
import type { Outcome } from "./trial.ts";

/** The broker dies and comes back with its data. */
export async function broker(setting: Setting): Promise<Outcome> {
  const [times, downMs] = setting.quick ? [3, 3_000] : [15, 10_000];
  return withTrial("broker", setting, async (trial) => {
    await trial.begin();
    trial.produce(setting.perSecond);
    for (let time = 0; time < times; time++) {
      await trial.pause(1_000, 3_000);
      await setting.services.kafka.restart(downMs);
    }
    await trial.pause(2_000, 3_000);
    await trial.endInput();
    return trial.compare("the broker may die", `${times} SIGKILL of Kafka, away for ${downMs / 1000} s`);
  });
}
