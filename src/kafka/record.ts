import type { KafkaMessage } from "kafkajs";
import type { RawRecord } from "../ingest/line.ts";

export function recordOf(topic: string, partition: number, message: KafkaMessage): RawRecord {
  const headers: RawRecord["headers"] = {};
  for (const [name, value] of Object.entries(message.headers ?? {}))
    headers[name] = Array.isArray(value) ? value[0] : value;
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    headers,
    timestamp: Number(message.timestamp),
  };
}
