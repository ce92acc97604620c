import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { startEmbeddedApi } from "../support/api.ts";
import { runCli } from "../support/cli.ts";

const preload = pathToFileURL(join(import.meta.dirname, "broken-preload.mjs")).href;
const breaksAfter = (runs: number) => ({ NODE_OPTIONS: `--import ${preload}`, ENCODER_RUNS: String(runs) });

it("an encoder that fails at work ends the process with its reason: nothing is undecided", async () => {
  const args = ["detect", "-", "--window", "1", "--all"];
  const { status, stdout, stderr } = await runCli(args, "one\ntwo\n", breaksAfter(1));
  expect(stderr).toContain("The encoder can no longer be asked: CUDA error: the device was lost.");
  expect(status).toBe(1);
  expect(stdout).toBe("");
});

it("an API whose encoder fails says so, and opens another for the next who ask", async () => {
  const api = await startEmbeddedApi(breaksAfter(2));
  const ask = (message: string) =>
    api.ask("/detect", { body: { logs: [{ message }], window_size: 1, stride: 1 } });
  expect((await ask("the engine starts")).status).toBe(200);
  const { status, body } = await ask("the valve closes");
  expect({ status, body }).toMatchObject({ status: 500, body: { code: "LG_API_FAILED" } });
  expect(api.log()).toContain("LG_MODEL_ENDED");
  expect((await ask("the valve closes")).status).toBe(200);
  expect(await api.stop()).toBe(0);
});
