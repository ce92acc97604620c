import { type Setting, withTrial } from "./setting.ts";
import type { Outcome } from "./trial.ts";

/** Times the input of other trials. */
const fullLoad = 4;

/** SIGTERM under full load: every process ends with 0 within its deadline, and others go on where it stopped. */
export async function stopping(setting: Setting): Promise<Outcome> {
  const times = setting.quick ? 3 : 15;
  return withTrial(
    "stopping",
    setting,
    async (trial) => {
      await trial.begin();
      trial.produce(fullLoad * setting.perSecond);
      for (let time = 0; time < times; time++) {
        await trial.pause(1_000, 3_000);
        await trial.storm.end();
        await trial.storm.startAll();
      }
      await trial.endInput();
      return trial.compare("SIGTERM loses nothing", `${times} SIGTERM of all roles under full load`);
    },
    fullLoad,
  );
}
