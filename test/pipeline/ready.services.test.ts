import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { freePorts } from "../../scripts/services.mjs";
import { services } from "../support/services.ts";
import { Stream } from "../support/stream.ts";

let stream: Stream;
/** What the process has logged. */
let said: () => string;
afterEach(() => stream.abandon());

/** Starts all roles, and asks /ready until they are ready or have ended. */
async function answersOf(pipeline: Record<string, unknown> = {}): Promise<number[]> {
  stream = new Stream(services, `test-ready-${Date.now()}`);
  const [port = 0] = await freePorts(1);
  const topic = `${stream.prefix}-raw`;
  await stream.createTopic(topic, 2);
  stream.configure({
    http: { port },
    pipelines: {
      app: { topics: [topic], format: "text", window: { kind: "session" }, partitions: 2, ...pipeline },
    },
  });
  const { child, log } = stream.launch();
  said = () => readFileSync(log, "utf8");
  const answers = new Set<number>();
  for (; child.exitCode === null && !answers.has(200); await sleep(10)) {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
    if (answer !== undefined) answers.add(answer.status);
  }
  return [...answers];
}

it("a process is ready when its roles have started: a flush finds the topics of a first start", async () => {
  const answers = await answersOf();
  expect(answers).toEqual([503, 200]);
  expect(await stream.command(["flush", "--pipeline", "app"])).toContain("app");
});

it("a process whose bundle cannot be opened is never ready", async () => {
  const answers = await answersOf({ bundle: "/nowhere" });
  // It may end before anybody asks.
  expect(answers.filter((one) => one !== 503)).toEqual([]);
  expect(said()).toContain("There is no bundle in /nowhere");
});
