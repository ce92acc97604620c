import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { createLineTokenizer } from "../../src/embed/tokenizer.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { starterBundle } from "../support/data.ts";
import type { Process, Stream } from "../support/stream.ts";
import type { Fault } from "./fault.ts";
import type { Trial } from "./trial.ts";
import { bglLine, envelope, slidingSize } from "./workloads.ts";

const tries = 3;
const within = () => AbortSignal.timeout(120_000);
/** Each one token of the starter's, and in no log. */
const words = { fatal: "beethoven", endless: "mozart" };
const file = "/var/log/bgl.log";

/** A window that ends the detector's process is undecided after its third try; one that wedges it makes it red, and it exits. */
export const poison: Fault = {
  promise: "a poison window harms no other",
  // It is undecided here, and judged in the undisturbed run.
  recuts: (_, key) => key === `${words.fatal}:${file}`,
  async inflict(trial, { quick }) {
    const { storm } = trial;
    const broken: string[] = [];
    await storm.end(...storm.running("detector"));

    await plant(trial, words.endless);
    const patience = { LOGGUARDIAN_LIMITS_STUCK_AFTER: quick ? "10s" : "60s" };
    const wedged = launchWith(storm, "POISON_ENDLESS", words.endless, patience);
    if (!(await turnsRed(storm, wedged))) broken.push("a wedged detector does not turn red");
    if ((await endOf(wedged)) !== 1) broken.push("a wedged detector does not exit with 1");

    await plant(trial, words.fatal);
    for (let time = 1; time <= tries; time++)
      if ((await endOf(launchWith(storm, "POISON_FATAL", words.fatal))) !== "SIGABRT")
        broken.push(`the planted window does not end the detector the ${time}. time`);
    const survivor = launchWith(storm, "POISON_FATAL", words.fatal);
    const found = await verdictOf(storm, words.fatal);
    if (found?.reason !== "LG_SCORER_CRASHED")
      broken.push(`the poison window is ${found?.verdict} (${found?.reason}), not undecided`);
    survivor.child.kill("SIGTERM");
    if ((await endOf(survivor)) !== 0) broken.push("the detector that met the poison does not stop in order");
    await storm.start("detector");
    return { faults: `a detector wedged until it exits, ${tries} times abort() in one window`, broken };
  },
};

/** Fills one window. */
function plant(trial: Trial, word: string): Promise<void> {
  const messages = Array.from({ length: slidingSize }, (_, place) => ({
    value: envelope(word, file, place, bglLine(`${word} is played`)),
    partition: 0,
  }));
  return trial.send("sliding", messages);
}

function launchWith(
  stream: Stream,
  variable: string,
  word: string,
  more: Record<string, string> = {},
): Process {
  const [, token] = createLineTokenizer(join(starterBundle, "tokenizer.json"), 100).encode(word);
  const preload = pathToFileURL(join(import.meta.dirname, "poison-preload.mjs")).href;
  return stream.launch("detector", {
    ...more,
    NODE_OPTIONS: `--import ${preload}`,
    [variable]: String(token),
  });
}

async function turnsRed(stream: Stream, one: Process): Promise<boolean> {
  while (one.child.exitCode === null) {
    if ((await stream.health(one))?.live === false) return true;
    await sleep(200);
  }
  return false;
}

/** Exit code or signal. */
async function endOf({ child }: Process): Promise<number | NodeJS.Signals | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit", { signal: within() });
  return child.exitCode ?? child.signalCode;
}

/** Waits for it. */
async function verdictOf(stream: Stream, host: string): Promise<Anomaly["logguardian"] | undefined> {
  // By the message's key: to parse tens of thousands of verdicts takes longer than they take to come.
  const isIt = ({ key }: { key: Buffer | null }) => String(key) === `${host}:${file}`;
  const read = await stream.read(`${stream.prefix}.anomalies`, (all) => all.some(isIt), 180_000);
  const found = read.find(isIt);
  return found && (JSON.parse(String(found.value)) as Anomaly).logguardian;
}
