import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { repeatedly } from "../src/repeatedly.ts";
import { until } from "./support/until.ts";

it("never runs twice at once, goes on after a failure, and is waited for at its end", async () => {
  let [begun, ended, failures] = [0, 0, 0];
  let end: () => void = () => undefined;
  const repeated = repeatedly(
    async () => {
      begun++;
      if (begun === 1) throw new Error("the first one");
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      ended++;
    },
    1,
    () => failures++,
  );
  await until(() => begun === 2, "there is another one");
  await sleep(50);
  expect({ begun, ended, failures }).toEqual({ begun: 2, ended: 0, failures: 1 });
  const stopped = repeated.stop();
  end();
  await stopped;
  await sleep(50);
  expect({ begun, ended }).toEqual({ begun: 2, ended: 1 });
});
