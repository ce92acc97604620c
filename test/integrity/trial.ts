import { setTimeout as sleep } from "node:timers/promises";
import type kafkajs from "kafkajs";
import type { Services } from "../../scripts/services.mjs";
import { createRandom, type Random } from "../../src/simulate/random.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { check, Stream } from "../support/stream.ts";
import type { Message, Workload } from "./workloads.ts";

const sendEveryMs = 100;
const drainedWithinMs = 240_000;

/** What a promise's file counts; the last three must be 0. */
export interface Outcome {
  promise: string;
  faults: string;
  expected: number;
  lost: number;
  extra: number;
  differing: number;
  /** What else does not hold, in sentences. */
  broken?: string[];
}

/** Final verdicts by id, and what was sent of each. */
interface Verdicts {
  byId: Map<string, string>;
  /** Lines, as positions. */
  lines: Set<string>;
}

/**
 * One deployment under faults, and the same input through an undisturbed one: the same raw topics, read under another
 * prefix, so that positions and therefore ids must be equal.
 */
export class Trial {
  readonly random: Random;
  readonly storm: Stream;
  readonly #calm: Stream;
  readonly #workloads: readonly Workload[];
  readonly #name: string;
  #producing: Promise<void> = Promise.resolve();
  #stopProducing = false;
  #sent = 0;

  constructor(name: string, services: Services, workloads: readonly Workload[], seed: number) {
    this.#name = name;
    this.random = createRandom(seed);
    this.#workloads = workloads.map((one) => ({ ...one, topic: `${one.topic}-${name}` }));
    this.storm = new Stream(services, `storm-${name}`);
    this.#calm = new Stream(services, `calm-${name}`);
    const pipelines = Object.fromEntries(
      this.#workloads.map(({ pipeline, topic, options }) => [pipeline, { ...options, topics: [topic] }]),
    );
    for (const stream of [this.storm, this.#calm])
      stream.configure({ pipelines, limits: { sessionTimeout: "6s" }, log: { level: "info" } });
  }

  get sent(): number {
    return this.#sent;
  }

  topicOf(pipeline: string): string {
    return this.#workloads.find((one) => one.pipeline === pipeline)?.topic ?? "";
  }

  /** Starts one process of each role. */
  async begin(): Promise<void> {
    for (const { topic, rawPartitions } of this.#workloads)
      await this.storm.createTopic(topic, rawPartitions);
    await this.storm.startAll();
  }

  /** Sends what the workloads hold, at most `perSecond` messages of each, until `endInput`, or until it has ended. */
  produce(perSecond: number): void {
    this.#stopProducing = false;
    this.#producing = this.#send(perSecond);
    // A failure is thrown to whoever waits for the end.
    this.#producing.catch(() => undefined);
  }

  async #send(perSecond: number): Promise<void> {
    // Idempotent: what a restarting broker stored without saying so must not come twice by our own doing.
    const producer = this.storm.kafka.producer({
      allowAutoTopicCreation: false,
      idempotent: true,
      retry: { retries: 30, maxRetryTime: 2_000 },
    });
    await producer.connect();
    const share = Math.ceil((perSecond * sendEveryMs) / 1000);
    const longest = Math.max(...this.#workloads.map(({ messages }) => messages.length));
    for (let from = 0; from < longest && !this.#stopProducing; from += share) {
      for (const { topic, messages } of this.#workloads) {
        const part = messages.slice(from, from + share);
        if (part.length > 0) await producer.send({ topic, messages: part });
        this.#sent += part.length;
      }
      await sleep(sendEveryMs);
    }
    await producer.disconnect();
  }

  /** Ends the input; fails where it ended by itself, since a fault then met nothing. */
  async endInput(): Promise<void> {
    const whole = this.#workloads.reduce((sum, { messages }) => sum + messages.length, 0);
    this.#stopProducing = true;
    await this.#producing;
    check(this.#sent < whole, `the input lasts as long as the faults (${this.#sent} messages)`);
  }

  async send(pipeline: string, messages: readonly Message[]): Promise<void> {
    const producer = this.storm.kafka.producer({ allowAutoTopicCreation: false, idempotent: true });
    await producer.connect();
    await producer.send({ topic: this.topicOf(pipeline), messages: [...messages] });
    this.#sent += messages.length;
    await producer.disconnect();
  }

  /** Kills a process of this role as a crash would, and starts another. */
  async crash(role: string): Promise<void> {
    this.storm.kill(role);
    await this.storm.start(role);
  }

  /** Waits a random while. */
  pause(leastMs: number, mostMs: number): Promise<void> {
    return sleep(leastMs + this.random.below(mostMs - leastMs));
  }

  /** A random order. */
  shuffled<T>(all: readonly T[]): T[] {
    return all
      .map((one) => ({ one, key: this.random.below(2 ** 31) }))
      .sort((a, b) => a.key - b.key)
      .map(({ one }) => one);
  }

  /** Flushes, and compares all that came out with an undisturbed run of the same input. */
  async compare(
    promise: string,
    faults: string,
    options: { exact?: readonly string[] } = {},
  ): Promise<Outcome> {
    const disturbed = await this.#finish(this.storm);
    await this.#calm.startAll();
    const undisturbed = await this.#finish(this.#calm);
    await this.#calm.stop();
    const outcome: Outcome = { promise, faults, expected: 0, lost: 0, extra: 0, differing: 0 };
    for (const { pipeline } of this.#workloads) {
      const [found, expected] = [disturbed.get(pipeline), undisturbed.get(pipeline)];
      if (found === undefined || expected === undefined) throw new Error(`${pipeline} has no verdicts`);
      outcome.expected += expected.byId.size;
      if (options.exact !== undefined && !options.exact.includes(pipeline)) {
        // What was cut anew is other windows of the same lines.
        outcome.lost += [...expected.lines].filter((line) => !found.lines.has(line)).length;
        outcome.extra += [...found.lines].filter((line) => !expected.lines.has(line)).length;
        continue;
      }
      for (const [id, verdict] of expected.byId) {
        if (!found.byId.has(id)) outcome.lost++;
        else if (found.byId.get(id) !== verdict) outcome.differing++;
      }
      outcome.extra += [...found.byId.keys()].filter((id) => !expected.byId.has(id)).length;
    }
    return outcome;
  }

  /** Groups of the disturbed deployment, and what they read. */
  commitsOf(): { group: string; topic: string }[] {
    return this.#hopsOf(this.storm);
  }

  /** How many records of the disturbed deployment went to the dead letters, each counted once; waits for `expected`. */
  async deadLetters(expected: number): Promise<number> {
    const distinct = (letters: readonly kafkajs.KafkaMessage[]) =>
      new Set(
        letters.map(({ headers }) =>
          ["topic", "partition", "offset"].map((name) => String(headers?.[`lg-${name}`])).join(" "),
        ),
      ).size;
    const topic = `${this.storm.prefix}.dead-letters`;
    return distinct(await this.storm.read(topic, (letters) => distinct(letters) >= expected, 20_000));
  }

  async end(): Promise<void> {
    await this.storm.stop();
  }

  /** After a failure. */
  abandon(): string[] {
    for (const stream of [this.storm, this.#calm]) stream.abandon();
    return [this.storm.folder, this.#calm.folder];
  }

  async #finish(stream: Stream): Promise<Map<string, Verdicts>> {
    for (const { pipeline } of this.#workloads) await stream.command(["flush", "--pipeline", pipeline]);
    await this.#drained(stream);
    const messages = await stream.read(`${stream.prefix}.anomalies`, (read) => read.length > 0, 60_000);
    return finalVerdicts(messages, this.#workloads);
  }

  #hopsOf({ prefix }: Stream): { group: string; topic: string }[] {
    return this.#workloads.flatMap(({ pipeline, topic }) => [
      { topic, group: `${prefix}.${pipeline}.ingester` },
      { topic: `${prefix}.lines.${pipeline}`, group: `${prefix}.${pipeline}.windower` },
      { topic: `${prefix}.windows.${pipeline}`, group: `${prefix}.${pipeline}.detector` },
    ]);
  }

  /** Until the roles have committed all that stands in their topics, twice in a row. */
  async #drained(stream: Stream): Promise<void> {
    const admin = stream.kafka.admin();
    await admin.connect();
    const hops = this.#hopsOf(stream);
    const lag = async () => {
      let sum = 0;
      for (const { topic, group } of hops) {
        const ends = await admin.fetchTopicOffsets(topic);
        const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        const committed = new Map(
          (found?.partitions ?? []).map((one) => [one.partition, Number(one.offset)]),
        );
        for (const { partition, high } of ends)
          sum += Number(high) - Math.max(0, committed.get(partition) ?? 0);
      }
      return sum;
    };
    let [empty, left] = [0, 0];
    for (const deadline = Date.now() + drainedWithinMs; empty < 2; await sleep(700)) {
      left = await lag();
      empty = left === 0 ? empty + 1 : 0;
      stream.assertAlive();
      check(Date.now() < deadline, `all is processed in time; ${left} messages are left in ${this.#name}`);
    }
    await admin.disconnect();
  }
}

function finalVerdicts(
  messages: readonly kafkajs.KafkaMessage[],
  workloads: readonly Workload[],
): Map<string, Verdicts> {
  const found = new Map(
    workloads.map(({ pipeline }) => [
      pipeline,
      { byId: new Map<string, string>(), lines: new Set<string>() },
    ]),
  );
  const revisions = new Map<string, { revision: number; content: string }>();
  for (const { value } of messages) {
    const { logguardian: ours, event } = JSON.parse(String(value)) as Anomaly;
    const { revision } = ours;
    const verdicts = found.get(ours.pipeline);
    if (verdicts === undefined) throw new Error(`a verdict of an unknown pipeline ${ours.pipeline}`);
    const content = JSON.stringify([ours.verdict, ours.score, ours.lines.map(({ position }) => position)]);
    const known = revisions.get(event.id);
    check(
      known === undefined || known.revision !== revision || known.content === content,
      `what is sent twice is equal: ${event.id}`,
    );
    if (known !== undefined && known.revision > revision) continue;
    revisions.set(event.id, { revision, content });
    verdicts.byId.set(event.id, content);
    for (const { position } of ours.lines) verdicts.lines.add(position);
  }
  return found;
}
