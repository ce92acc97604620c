import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import { stringify } from "yaml";
import { startServices } from "../../scripts/services.mjs";
import type { Anomaly } from "../../src/verdict/anomaly.ts";

export const root = resolve(import.meta.dirname, "../..");
export const roles = ["ingester", "windower", "detector", "alerter"];
const cli = join(root, "bin/logguardian.js");

/** Services, processes and clients of one end-to-end run; all of them end with it. */
export class EndToEnd {
  readonly folder = mkdtempSync(join(tmpdir(), "logguardian-e2e-"));
  readonly configFile = join(this.folder, "logguardian.yaml");
  readonly services: Awaited<ReturnType<typeof startServices>>;
  readonly kafka: kafkajs.Kafka;
  readonly #processes: { name: string; child: ChildProcess; log: string }[] = [];

  private constructor(services: Awaited<ReturnType<typeof startServices>>) {
    this.services = services;
    this.kafka = new kafkajs.Kafka({
      brokers: [services.kafka.broker],
      logLevel: kafkajs.logLevel.ERROR,
    });
  }

  /** Runs `body` with services of its own; the process ends with 1 when it throws. */
  static async run(name: string, body: (run: EndToEnd) => Promise<void>): Promise<void> {
    const run = new EndToEnd(await startServices());
    try {
      await body(run);
      console.log(`${name}: everything holds.`);
    } catch (thrown) {
      console.error(`${name} fails: ${thrown instanceof Error ? thrown.message : thrown}`);
      for (const { name: process, log } of run.#processes) console.error(`${process}: ${log}`);
      process.exitCode = 1;
    } finally {
      await run.stopProcesses();
      await run.services.stop();
      if (process.exitCode !== 1) rmSync(run.folder, { recursive: true, force: true });
    }
    process.exit();
  }

  configure(pipelines: Record<string, unknown>): void {
    const { kafka, redis, alertmanager } = this.services;
    writeFileSync(
      this.configFile,
      stringify({
        kafka: { brokers: [kafka.broker] },
        redis: { url: redis.url },
        alertmanager: { urls: [alertmanager.url] },
        http: { port: 0 },
        pipelines,
      }),
    );
  }

  /** Starts a process and resolves when it says that it is ready. */
  async start(role: string): Promise<void> {
    const log = join(this.folder, `${role}-${this.#processes.length}.log`);
    const file = openSync(log, "w");
    const child = spawn(process.execPath, [cli, "start", role, "--config", this.configFile], {
      stdio: ["ignore", file, file],
    });
    this.#processes.push({ name: role, child, log });
    for (let port: string | undefined; ; await sleep(100)) {
      check(child.exitCode === null, `the ${role} starts: ${readFileSync(log, "utf8").slice(-500)}`);
      port ??= /"port":(\d+),"msg":"LogGuardian runs\."/.exec(readFileSync(log, "utf8"))?.[1];
      if (port === undefined) continue;
      const ready = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
      if (ready?.ok) return;
    }
  }

  assertAlive(): void {
    for (const { name, child } of this.#processes)
      check(child.exitCode === null, `the ${name} runs (it ended with ${child.exitCode})`);
  }

  /** Ends all processes of a role as a crash would. */
  kill(role: string): void {
    const killed = this.#processes.filter(({ name }) => name === role);
    for (const { child } of killed) child.kill("SIGKILL");
    this.#processes.splice(
      0,
      this.#processes.length,
      ...this.#processes.filter((one) => !killed.includes(one)),
    );
  }

  /** SIGTERM to all; each must end with 0. */
  async stopProcesses(): Promise<void> {
    const ended = this.#processes.splice(0).map(async ({ name, child }) => {
      if (child.exitCode === null) {
        child.kill("SIGTERM");
        await new Promise((end) => child.once("exit", end));
      }
      if (child.exitCode !== 0) {
        console.error(`The ${name} ended with ${child.exitCode ?? child.signalCode}.`);
        process.exitCode = 1;
      }
    });
    await Promise.all(ended);
  }

  /** Runs a command of LogGuardian to its end, while all processes live. */
  async command(args: string[], statuses = [0]): Promise<string> {
    const child = spawn(process.execPath, [cli, ...args, "--config", this.configFile]);
    let [output, errors] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errors += text;
    });
    const watch = setInterval(() => {
      if (this.#processes.some(({ child: one }) => one.exitCode !== null)) child.kill();
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
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions }] });
    await admin.disconnect();
  }

  /** Reads verdicts from the anomalies topic until there are `count`, then a little longer for repeats. */
  async verdicts(count: number, options: { timeoutMs: number }): Promise<Anomaly[]> {
    const consumer = this.kafka.consumer({ groupId: `e2e-${Date.now()}`, maxWaitTimeInMs: 200 });
    await consumer.connect();
    await consumer.subscribe({ topics: ["logguardian.anomalies"], fromBeginning: true });
    const found: Anomaly[] = [];
    await consumer.run({
      eachMessage: async ({ message }) => void found.push(JSON.parse(message.value?.toString() ?? "")),
    });
    const deadline = Date.now() + options.timeoutMs;
    let shown = Date.now();
    while (found.length < count && Date.now() < deadline) {
      this.assertAlive();
      await sleep(200);
      if (Date.now() - shown > 5_000) {
        console.log(`  ${found.length} of ${count} verdicts`);
        shown = Date.now();
      }
    }
    await sleep(2_000);
    await consumer.disconnect();
    return found;
  }
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`It does not hold that ${what}`);
}

export function dataFile(name: string): string {
  return join(process.env.LOGGUARDIAN_DATA ?? join(root, "../shared/data"), name);
}
