import { setTimeout as sleep } from "node:timers/promises";
import { createRandom, type Random } from "../../src/simulate/random.ts";
import { check, type Process, Stream } from "../support/stream.ts";
import { compare, finalVerdicts, type Phase } from "./compare.ts";
import type { Fault, Inflicted, Outcome, Setting } from "./fault.ts";
import { Input } from "./input.ts";
import { type Message, partitions, type Workload } from "./workloads.ts";

/** Without one message more that is processed. */
const mostStandstillMs = 120_000;
/** `limits.inFlight`, for each role of each pipeline. */
const inFlightBytes = 1_000_000;
/** That a partition may get beyond it: one answer of the broker, unpacked, and the batch that it ends in. */
const fetchBytes = 2 * 2 ** 20;

/**
 * One deployment under faults, one after another, and the same input through an undisturbed one: the same raw topics,
 * read under another prefix, so that positions and therefore ids must be equal. A window counts for the fault during
 * which its last line was sent.
 */
export class Trial {
  readonly random: Random;
  readonly storm: Stream;
  readonly input: Input;
  readonly #calm: Stream;
  readonly #workloads: readonly Workload[];
  readonly #setting: Setting;

  constructor(name: string, setting: Setting, workloads: readonly Workload[]) {
    this.random = createRandom(setting.seed);
    this.#setting = setting;
    this.#workloads = workloads.map((one) => ({ ...one, topic: `${one.topic}-${name}` }));
    this.storm = new Stream(setting.services, `storm-${name}`);
    this.#calm = new Stream(setting.services, `calm-${name}`);
    this.input = new Input(this.storm.kafka, this.#workloads);
    const pipelines = Object.fromEntries(
      this.#workloads.map(({ pipeline, topic, options }) => [pipeline, { ...options, topics: [topic] }]),
    );
    const limits = { sessionTimeout: "6s", inFlight: `${inFlightBytes / 1000}kB` };
    for (const stream of [this.storm, this.#calm])
      stream.configure({ pipelines, limits, log: { level: "info" } });
  }

  /** Inflicts all under one stream of input; after a failure everything is ended, and the logs' folders are named. */
  async run(faults: readonly Fault[]): Promise<Outcome[]> {
    try {
      const outcomes = await this.#inflictAll(faults);
      await this.storm.stop();
      return outcomes;
    } catch (thrown) {
      for (const stream of [this.storm, this.#calm]) stream.abandon();
      console.error(`Logs of the processes: ${this.storm.folder}, ${this.#calm.folder}`);
      throw thrown;
    }
  }

  async #inflictAll(faults: readonly Fault[]): Promise<Outcome[]> {
    for (const { topic, rawPartitions } of this.#workloads)
      await this.storm.createTopic(topic, rawPartitions);
    await this.storm.startAll();
    const phases: (Phase & Inflicted)[] = [];
    this.input.begin(this.#setting.perSecond);
    for (const fault of faults) {
      const ends = await this.input.ends();
      const started = Date.now();
      const inflicted = await fault.inflict(this, this.#setting);
      const seconds = Math.round((Date.now() - started) / 1000);
      console.log(`${fault.promise}: ${inflicted.faults}; ${seconds} s`);
      this.storm.assertAlive();
      phases.push({ fault, begins: ends, ...inflicted });
      // What comes after the last fault shows that the product goes on.
      await this.pause(1_000, 2_000);
    }
    await this.input.end();
    const disturbed = await this.#finish(this.storm);
    await this.#calm.start();
    const undisturbed = await this.#finish(this.#calm);
    await this.#calm.stop();
    const counts = compare(phases, finalVerdicts(disturbed), finalVerdicts(undisturbed));
    return phases.map(({ fault, faults, broken = [] }, place) => ({
      promise: fault.promise,
      faults,
      broken,
      ...(counts[place] ?? { expected: 0, lost: 0, extra: 0, differing: 0 }),
    }));
  }

  /** What these processes hold that was read and is not durable; and what of it is more than they may. */
  async inFlight(processes: readonly Process[]): Promise<{ most: number; broken: string[] }> {
    let most = 0;
    for (const one of processes)
      for (const bytes of await this.storm.metric(one, "logguardian_in_flight_bytes"))
        most = Math.max(most, bytes);
    const bound = inFlightBytes + partitions * fetchBytes;
    return { most, broken: most > bound ? [`a process holds ${most} bytes, more than ${bound}`] : [] };
  }

  /** Waits a random while. */
  pause(leastMs: number, mostMs: number): Promise<void> {
    return sleep(leastMs + this.random.below(mostMs - leastMs));
  }

  /** Sends these beside what the workloads hold. */
  send(pipeline: string, messages: readonly Message[]): Promise<void> {
    return this.input.send(this.topicOf(pipeline), messages);
  }

  topicOf(pipeline: string): string {
    return this.#workloads.find((one) => one.pipeline === pipeline)?.topic ?? "";
  }

  /** Groups of the disturbed deployment, and what they read. */
  hops({ prefix } = this.storm): { group: string; topic: string }[] {
    return this.#workloads.flatMap(({ pipeline, topic }) => [
      { topic, group: `${prefix}.${pipeline}.ingester` },
      { topic: `${prefix}.lines.${pipeline}`, group: `${prefix}.${pipeline}.windower` },
      { topic: `${prefix}.windows.${pipeline}`, group: `${prefix}.${pipeline}.detector` },
    ]);
  }

  async #finish(stream: Stream) {
    for (const { pipeline } of this.#workloads) await stream.command(["flush", "--pipeline", pipeline]);
    await this.#drained(stream);
    return stream.readAll(`${stream.prefix}.anomalies`);
  }

  /** Until the roles have committed all that stands in their topics, twice in a row. */
  async #drained(stream: Stream): Promise<void> {
    const admin = stream.kafka.admin();
    await admin.connect();
    const state = async () => {
      let [left, done] = [0, 0];
      for (const { topic, group } of this.hops(stream)) {
        const ends = await admin.fetchTopicOffsets(topic);
        const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        const committed = new Map(
          (found?.partitions ?? []).map((one) => [one.partition, Number(one.offset)]),
        );
        for (const { partition, high } of ends) {
          const at = Math.max(0, committed.get(partition) ?? 0);
          left += Number(high) - at;
          done += at;
        }
      }
      return { left, done };
    };
    let [empty, most, wentOnAt] = [0, -1, Date.now()];
    for (; empty < 2; await sleep(700)) {
      const { left, done } = await state();
      empty = left === 0 ? empty + 1 : 0;
      if (done > most) [most, wentOnAt] = [done, Date.now()];
      stream.assertAlive();
      const isMoving = Date.now() < wentOnAt + mostStandstillMs;
      check(isMoving, `all is processed; ${left} messages of ${stream.prefix} are left, and nothing moves`);
    }
    await admin.disconnect();
  }
}
