import type { KafkaMessage } from "kafkajs";
import type { RawRecord } from "../ingest/line.ts";
import { unreadableIn } from "./unreadable-batch.ts";

export function recordOf(topic: string, partition: number, message: KafkaMessage): RawRecord {
  const headers: RawRecord["headers"] = {};
  for (const name in message.headers) {
    const value = message.headers[name];
    headers[name] = Array.isArray(value) ? value[0] : value;
  }
  const record: RawRecord = {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    headers,
    timestamp: Number(message.timestamp),
  };
  const unreadable = unreadableIn(message.value);
  return unreadable === undefined ? record : { ...record, value: null, unreadable };
}
