import { setTimeout as sleep } from "node:timers/promises";
import type kafkajs from "kafkajs";
import type { Services } from "../../scripts/services.mjs";
import { createRandom, type Random } from "../../src/simulate/random.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { check, Stream } from "../support/stream.ts";
import type { Message, Workload } from "./workloads.ts";

const sendEveryMs = 100;
/** Of a trial, on standard error. */
const shownDifferences = 6;
const sentWithinMs = 90_000;
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

/** The newest revision of a verdict. */
interface Final {
  pipeline: string;
  key: string;
  revision: number;
  /** What must be equal. */
  content: string;
  /** Of its lines. */
  positions: string[];
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
  #producer: kafkajs.Producer | undefined;
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
    const share = Math.ceil((perSecond * sendEveryMs) / 1000);
    const longest = Math.max(...this.#workloads.map(({ messages }) => messages.length));
    for (let from = 0; from < longest && !this.#stopProducing; from += share) {
      for (const { topic, messages } of this.#workloads)
        await this.#produceTo(topic, messages.slice(from, from + share));
      await sleep(sendEveryMs);
    }
    await this.#producer?.disconnect();
    this.#producer = undefined;
  }

  /** For as long as it takes. What a dying broker stored without saying so comes twice, and both runs read it so. */
  async #produceTo(topic: string, messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return;
    for (const deadline = Date.now() + sentWithinMs; ; await sleep(500))
      try {
        if (this.#producer === undefined) {
          const producer = this.storm.kafka.producer({ allowAutoTopicCreation: false });
          await producer.connect();
          this.#producer = producer;
        }
        await this.#producer.send({ topic, messages: [...messages] });
        this.#sent += messages.length;
        return;
      } catch (thrown) {
        if (Date.now() > deadline) throw thrown;
        await this.#producer?.disconnect().catch(() => undefined);
        this.#producer = undefined;
      }
  }

  /** Ends the input; fails where it ended by itself, since a fault then met nothing. */
  async endInput(): Promise<void> {
    const whole = this.#workloads.reduce((sum, { messages }) => sum + messages.length, 0);
    this.#stopProducing = true;
    await this.#producing;
    check(this.#sent < whole, `the input lasts as long as the faults (${this.#sent} messages)`);
  }

  /** Sends these beside what the workloads hold. */
  send(pipeline: string, messages: readonly Message[]): Promise<void> {
    return this.#produceTo(this.topicOf(pipeline), messages);
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

  /**
   * Flushes, and compares all that came out with an undisturbed run of the same input: by id, or, where `byLines` says so,
   * only that every line stands in a verdict.
   */
  async compare(
    promise: string,
    faults: string,
    options: { byLines?: (pipeline: string, key: string) => boolean } = {},
  ): Promise<Outcome> {
    const disturbed = await this.#finish(this.storm);
    await this.#calm.start();
    const undisturbed = await this.#finish(this.#calm);
    await this.#calm.stop();
    const outcome: Outcome = { promise, faults, expected: undisturbed.size, lost: 0, extra: 0, differing: 0 };
    const byLines = ({ pipeline, key }: Final) => options.byLines?.(pipeline, key) === true;
    const different: string[] = [];
    for (const [id, one] of undisturbed) {
      const own = disturbed.get(id);
      if (own?.content === one.content || byLines(one)) continue;
      if (own === undefined) outcome.lost++;
      else outcome.differing++;
      different.push(`${own?.content ?? "nothing"} where undisturbed ${one.content}`);
    }
    for (const [id, own] of disturbed) {
      if (undisturbed.has(id) || byLines(own)) continue;
      outcome.extra++;
      different.push(`${own.content} where undisturbed nothing`);
    }
    const [found, expected] = [disturbed, undisturbed].map(
      (verdicts) => new Set([...verdicts.values()].filter(byLines).flatMap(({ positions }) => positions)),
    ) as [Set<string>, Set<string>];
    for (const line of expected) if (!found.has(line)) outcome.lost++;
    for (const line of found) if (!expected.has(line)) outcome.extra++;
    for (const what of different.slice(0, shownDifferences)) console.error(`  ${what.slice(0, 1_000)}`);
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

  async #finish(stream: Stream): Promise<Map<string, Final>> {
    for (const { pipeline } of this.#workloads) await stream.command(["flush", "--pipeline", pipeline]);
    await this.#drained(stream);
    const messages = await stream.read(`${stream.prefix}.anomalies`, (read) => read.length > 0, 60_000);
    return finalVerdicts(messages);
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

function finalVerdicts(messages: readonly kafkajs.KafkaMessage[]): Map<string, Final> {
  const found = new Map<string, Final>();
  for (const { value } of messages) {
    const { logguardian: ours, event } = JSON.parse(String(value)) as Anomaly;
    const { pipeline, key, revision } = ours;
    const positions = ours.lines.map(({ position }) => position);
    const content = JSON.stringify([key, ours.verdict, ours.score, ours.window.closed, positions]);
    const known = found.get(event.id);
    check(
      known === undefined || known.revision !== revision || known.content === content,
      `what is sent twice is equal: ${event.id}`,
    );
    if (known === undefined || known.revision < revision)
      found.set(event.id, { pipeline, key, revision, content, positions });
  }
  return found;
}
