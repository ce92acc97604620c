import type { KafkaMessage } from "kafkajs";
import type { RawRecord } from "../ingest/line.ts";
import { unreadableIn } from "./unreadable-batch.ts";

export function recordOf(topic: string, partition: number, message: KafkaMessage): RawRecord {
  const headers: RawRecord["headers"] = {};
  for (const [name, value] of Object.entries(message.headers ?? {}))
    headers[name] = Array.isArray(value) ? value[0] : value;
  const unreadable = unreadableIn(message.value);
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key,
    value: unreadable === undefined ? message.value : null,
    headers,
    timestamp: Number(message.timestamp),
    ...(unreadable === undefined ? {} : { unreadable }),
  };
}
