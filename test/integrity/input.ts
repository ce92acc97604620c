import { setTimeout as sleep } from "node:timers/promises";
import type { Kafka, Producer } from "kafkajs";
import type { Message, Workload } from "./workloads.ts";

const sendEveryMs = 100;
/** On a busy machine a broker that is killed again and again is away for most of the time. */
const sentWithinMs = 300_000;

/** What the raw topics get while faults happen, throttled so that every fault meets work. */
export class Input {
  /** Messages of each workload sent in a second. */
  perSecond = 0;
  readonly #kafka: Kafka;
  readonly #workloads: readonly Workload[];
  #sending: Promise<void> = Promise.resolve();
  #producer: Producer | undefined;
  #isOver = false;

  constructor(kafka: Kafka, workloads: readonly Workload[]) {
    this.#kafka = kafka;
    this.#workloads = workloads;
  }

  begin(perSecond: number): void {
    this.perSecond = perSecond;
    this.#sending = this.#sendAll();
    // A failure is thrown to whoever waits for the end.
    this.#sending.catch(() => undefined);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#sending;
  }

  /** For as long as it takes. What a dying broker stored without saying so comes twice, and both runs read it so. */
  async send(topic: string, messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return;
    for (const deadline = Date.now() + sentWithinMs; ; await sleep(500))
      try {
        if (this.#producer === undefined) {
          const producer = this.#kafka.producer({ allowAutoTopicCreation: false });
          await producer.connect();
          this.#producer = producer;
        }
        await this.#producer.send({ topic, messages: [...messages] });
        return;
      } catch (thrown) {
        if (Date.now() > deadline) throw thrown;
        await this.#producer?.disconnect().catch(() => undefined);
        this.#producer = undefined;
      }
  }

  /** Where the raw topics end now: `<topic>:<partition>` to the next offset. */
  async ends(): Promise<Map<string, number>> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const ends = new Map<string, number>();
    for (const { topic } of this.#workloads)
      for (const { partition, high } of await admin.fetchTopicOffsets(topic))
        ends.set(`${topic}:${partition}`, Number(high));
    await admin.disconnect();
    return ends;
  }

  /** Over and over. */
  async #sendAll(): Promise<void> {
    for (let from = 0; !this.#isOver; ) {
      const share = Math.ceil((this.perSecond * sendEveryMs) / 1000);
      for (const { topic, messages } of this.#workloads) {
        const at = from % Math.max(1, messages.length);
        await this.send(topic, messages.slice(at, at + share));
      }
      from += share;
      await sleep(sendEveryMs);
    }
    await this.#producer?.disconnect();
    this.#producer = undefined;
  }
}
