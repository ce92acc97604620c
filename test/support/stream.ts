import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import { stringify } from "yaml";
import type { Services } from "../../scripts/services.mjs";
import { registerCodecs } from "../../src/kafka/compression.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { createTopic } from "./create-topic.ts";

export const roles = ["ingester", "windower", "detector", "alerter"];
const cli = join(resolve(import.meta.dirname, "../.."), "bin/logguardian.js");

type Where = Pick<Services, "kafka" | "redis" | "alertmanager">;

export interface Process {
  role: string;
  child: ChildProcess;
  log: string;
  port?: string | undefined;
}

const readyWithinMs = 90_000;
const stoppedWithinMs = 40_000;
const readWithinMs = 240_000;

/** LogGuardian's processes on real services: started, watched, killed and stopped as an operator or a fault would. */
export class Stream {
  readonly folder = mkdtempSync(join(tmpdir(), "logguardian-stream-"));
  readonly configFile = join(this.folder, "logguardian.yaml");
  readonly kafka: kafkajs.Kafka;
  /** Of its processes, beside this one's. */
  environment: Record<string, string> = {};
  /** Programs that play a role instead of the product's, with the configuration's path as their argument. */
  readonly programs: Record<string, string> = {};
  /** Of the topics: several streams may share a broker. */
  readonly prefix: string;
  readonly #services: Where;
  /** That are to live. */
  #processes: Process[] = [];
  readonly #launched: ChildProcess[] = [];
  #started = 0;

  constructor(services: Where, prefix = "logguardian") {
    this.#services = services;
    this.prefix = prefix;
    // Internal topics are packed by a codec that kafkajs does not bring.
    registerCodecs();
    this.kafka = new kafkajs.Kafka({
      brokers: [services.kafka.broker],
      logLevel: kafkajs.logLevel.NOTHING,
      connectionTimeout: 10_000,
    });
  }

  configure(config: { pipelines: Record<string, unknown> } & Record<string, unknown>): void {
    const { kafka, redis, alertmanager } = this.#services;
    const whole = {
      kafka: { brokers: [kafka.broker] },
      redis: { url: redis.url },
      alertmanager: { urls: [alertmanager.url] },
      topics: { prefix: this.prefix },
      http: { port: 0 },
      api: { port: 0 },
      ...config,
    };
    writeFileSync(this.configFile, stringify(whole));
  }

  /** Starts a process with a role, or with all; whether it lives is up to the caller. */
  launch(role = "", environment: Record<string, string> = {}): Process {
    const log = join(this.folder, `${this.#started++}-${role || "all"}.log`);
    const file = openSync(log, "w");
    const program = this.programs[role];
    // The program itself, as a user calls it: it names the options that it gives Node.
    const [command, args] =
      program === undefined
        ? [cli, ["start", ...(role === "" ? [] : [role]), "--config", this.configFile]]
        : [process.execPath, [program, this.configFile]];
    const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
    const env = { ...process.env, PATH, ...this.environment, ...environment };
    const child = spawn(command, args, { stdio: ["ignore", file, file], env });
    this.#launched.push(child);
    return { role, child, log };
  }

  /** Starts one likewise that is to live, and resolves when it says that it is ready. */
  async start(role = ""): Promise<Process> {
    const one = this.launch(role);
    this.#processes.push(one);
    for (const deadline = Date.now() + readyWithinMs; ; await sleep(100)) {
      check(Date.now() < deadline, `the ${role} is ready in time. ${await this.#state()}`);
      const said = readFileSync(one.log, "utf8");
      check(one.child.exitCode === null, `the ${role} starts: ${said.slice(-500)}`);
      if ((await this.health(one))?.ready === true) return one;
    }
  }

  /** What it says of itself; undefined while it does not answer. */
  async health(one: Process): Promise<{ live: boolean; ready: boolean; waits: string[] } | undefined> {
    one.port ??= /"port":(\d+),"msg":"LogGuardian runs\."/.exec(readFileSync(one.log, "utf8"))?.[1];
    if (one.port === undefined) return undefined;
    const answer = await fetch(`http://127.0.0.1:${one.port}/health`).catch(() => undefined);
    return (await answer?.json()) as { live: boolean; ready: boolean; waits: string[] } | undefined;
  }

  /** What a metric of it says now, under all its labels. */
  async metric(one: Process, name: string): Promise<number[]> {
    const text = await (await fetch(`http://127.0.0.1:${one.port}/metrics`)).text();
    return [...text.matchAll(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "gm"))].map(([, value]) =>
      Number(value),
    );
  }

  /** The processes of a role. */
  running(role: string): Process[] {
    return this.#processes.filter((one) => one.role === role);
  }

  startAll(): Promise<unknown> {
    return Promise.all(roles.map((role) => this.start(role)));
  }

  assertAlive(): void {
    for (const { role, child, log } of this.#processes)
      check(child.exitCode === null, `the ${role} runs: ${readFileSync(log, "utf8").slice(-500)}`);
  }

  /** Ends all processes of a role as a crash would. */
  kill(role: string): void {
    for (const one of this.#processes) if (one.role === role) one.child.kill("SIGKILL");
    this.#processes = this.#processes.filter((one) => one.role !== role);
  }

  /** SIGTERM to all, or to one; each must end with 0. */
  async end(...chosen: readonly Process[]): Promise<void> {
    const ending = chosen.length > 0 ? chosen : this.#processes;
    this.#processes = this.#processes.filter((one) => !ending.includes(one));
    await Promise.all(
      ending.map(async ({ role, child, log }) => {
        if (child.exitCode === null) {
          child.kill("SIGTERM");
          const signal = AbortSignal.timeout(stoppedWithinMs);
          await once(child, "exit", { signal }).catch(() => child.kill("SIGKILL"));
        }
        check(child.exitCode === 0, `the ${role} stops in order: ${readFileSync(log, "utf8").slice(-500)}`);
      }),
    );
  }

  /** Ends all, and removes their logs. */
  async stop(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** After a failure: ends everything and leaves the logs. */
  abandon(): void {
    for (const child of this.#launched) child.kill("SIGKILL");
  }

  /** What the processes have logged so far. */
  logs(): string {
    return this.#processes.map(({ log }) => readFileSync(log, "utf8")).join("");
  }

  /** Runs a command of LogGuardian to its end, while all processes live. */
  async command(args: string[], statuses = [0]): Promise<string> {
    const child = spawn(process.execPath, [cli, ...args, "--config", this.configFile], {
      env: { ...process.env, ...this.environment },
    });
    let [output, errors] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errors += text;
    });
    const watch = setInterval(() => {
      if (this.#processes.some((one) => one.child.exitCode !== null)) child.kill();
    }, 200);
    const [status] = await once(child, "close");
    clearInterval(watch);
    this.assertAlive();
    check(statuses.includes(status ?? -1), `logguardian ${args.join(" ")} succeeds: ${errors}`);
    return output;
  }

  async createTopic(topic: string, numPartitions: number): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    await createTopic(admin, topic, numPartitions);
    await admin.disconnect();
  }

  /** What each process says of itself, for the message of a failure. */
  async #state(): Promise<string> {
    const states = this.#processes.map(async ({ role, port, log }) => {
      const health = await fetch(`http://127.0.0.1:${port}/health`).then(
        (answer) => answer.text(),
        (thrown) => String(thrown),
      );
      return `${role || "all"}: ${health} ${readFileSync(log, "utf8").slice(-300)}`;
    });
    return (await Promise.all(states)).join("\n");
  }

  /** Reads a topic until `isEnough`, which must come in time, then a little longer for what should not come. */
  async read(
    topic: string,
    isEnough: (messages: readonly kafkajs.KafkaMessage[]) => boolean,
    timeoutMs: number,
  ): Promise<kafkajs.KafkaMessage[]> {
    const groupId = `reader-${Date.now()}-${Math.random()}`;
    const consumer = this.kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const messages: kafkajs.KafkaMessage[] = [];
    await consumer.run({ eachMessage: async ({ message }) => void messages.push(message) });
    for (
      const deadline = Date.now() + timeoutMs;
      !isEnough(messages) && Date.now() < deadline;
      await sleep(200)
    )
      this.assertAlive();
    const isComplete = isEnough(messages);
    await sleep(2_000);
    await consumer.disconnect();
    check(
      isComplete,
      `${topic} holds in time what is waited for, after ${messages.length} messages. ${isComplete ? "" : await this.#state()}`,
    );
    return messages;
  }

  /** What it holds now. */
  async readAll(topic: string): Promise<kafkajs.KafkaMessage[]> {
    const admin = this.kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    const count = ends.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
    return this.read(topic, (read) => read.length >= count, readWithinMs);
  }

  /** Reads verdicts until there are `count` different ones. */
  async verdicts(
    count: number,
    options: { timeoutMs: number; onProgress?: (verdicts: number) => void },
  ): Promise<Anomaly[]> {
    let shownAt = Date.now();
    const messages = await this.read(
      `${this.prefix}.anomalies`,
      (read) => {
        const ids = new Set(read.map(({ headers }) => String(headers?.["lg-id"])));
        if (Date.now() - shownAt > 5_000) {
          shownAt = Date.now();
          options.onProgress?.(ids.size);
        }
        return ids.size >= count;
      },
      options.timeoutMs,
    );
    return messages.map(({ value }) => JSON.parse(String(value)) as Anomaly);
  }
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`It does not hold that ${what}`);
}
