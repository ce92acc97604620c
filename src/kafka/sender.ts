import kafkajs, { type Kafka } from "kafkajs";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { retry } from "../retry.ts";
import type { Health } from "../telemetry/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import { isTransient } from "./client.ts";

/** Of one partition's part of a request: Kafka's default limit of a batch is 1 MB. */
const maxBatchBytes = 950_000;

export interface OutgoingMessage {
  partition: number;
  key?: Buffer | string | null;
  value: Buffer | null;
  headers?: Record<string, string | Buffer>;
}

export interface Sender {
  /**
   * Resolves when every replica in sync holds all messages. Messages of one partition keep their order, and a later
   * one is sent only after the earlier were acknowledged. Waits as long as the broker is away.
   * @param options.packed by LZ4: for topics that only we read, as not every client can unpack it.
   * @throws LogGuardianError LG_KAFKA_SEND where the broker refuses, or sending was ended.
   */
  send(topic: string, messages: readonly OutgoingMessage[], options?: { packed?: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** @param deps.signal ends all waiting. */
export async function createSender(
  kafka: Kafka,
  deps: { logger: Logger; health: Health; signal?: AbortSignal },
): Promise<Sender> {
  const { logger, health, signal } = deps;
  const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 2 } });
  await producer.connect();

  async function sendRound(topic: string, messages: OutgoingMessage[], packed: boolean): Promise<void> {
    let endWait: (() => void) | undefined;
    try {
      await retry(
        () =>
          producer.send({
            topic,
            acks: -1,
            compression: packed ? kafkajs.CompressionTypes.LZ4 : kafkajs.CompressionTypes.None,
            messages: messages.map(({ key = null, ...message }) => ({ ...message, key })),
          }),
        {
          signal,
          isTransient,
          onFailure(thrown, attempt) {
            if (endWait !== undefined) return;
            logger.warn("Kafka does not take messages; sending again until it does.", {
              topic,
              attempt,
              error: reasonOf(thrown),
            });
            endWait = health.wait("broker-away");
          },
        },
      );
    } catch (thrown) {
      throw new LogGuardianError(
        "LG_KAFKA_SEND",
        `Kafka does not take messages for ${topic}: ${reasonOf(thrown)}.`,
        "Check the topic and the access to it.",
        thrown,
      );
    } finally {
      endWait?.();
    }
  }

  return {
    async send(topic, messages, { packed = false } = {}) {
      for (const round of roundsOf(messages)) await sendRound(topic, round, packed);
    },
    close: () => producer.disconnect(),
  };
}

/** kafkajs makes one batch of a partition's messages in a request: each round stays below the limit of one. */
export function roundsOf(messages: readonly OutgoingMessage[]): OutgoingMessage[][] {
  const rounds: { messages: OutgoingMessage[]; bytes: Map<number, number> }[] = [];
  const roundOf = new Map<number, number>();
  for (const message of messages) {
    const { partition } = message;
    const size = bytesOf(message);
    let place = roundOf.get(partition) ?? 0;
    const held = rounds[place]?.bytes.get(partition) ?? 0;
    if (held > 0 && held + size > maxBatchBytes) place++;
    roundOf.set(partition, place);
    rounds[place] ??= { messages: [], bytes: new Map() };
    const round = rounds[place];
    round?.messages.push(message);
    round?.bytes.set(partition, (round.bytes.get(partition) ?? 0) + size);
  }
  return rounds.map((round) => round.messages);
}

function bytesOf({ key, value, headers = {} }: OutgoingMessage): number {
  let bytes = (value?.length ?? 0) + Buffer.byteLength(key ?? "") + 200;
  for (const [name, held] of Object.entries(headers))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(held) + 10;
  return bytes;
}
