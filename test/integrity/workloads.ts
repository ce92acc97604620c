import { readRecords } from "../../src/ingest/file-source.ts";
import { dataFile } from "../support/data.ts";

/** One pipeline and what its raw topic gets. */
export interface Workload {
  pipeline: string;
  topic: string;
  rawPartitions: number;
  options: Record<string, unknown>;
  messages: Message[];
}

export interface Message {
  value: string | Buffer | null;
  partition: number;
}

/** Of lines and windows, in each pipeline. */
export const partitions = 4;

const common = {
  from: "earliest",
  format: "filebeat",
  partitions,
  publish: "all",
  // An outage is no silence: only a flush closes what is open.
  idleAfter: "1h",
  alert: { enabled: false },
};

/**
 * HDFS' sample as sessions by block, its lines spread over all partitions as Filebeat without a key does.
 * @param options.maxLines sent over and over, a session ends by nothing else.
 */
export async function sessions(lines: number, options: { maxLines?: number } = {}): Promise<Workload> {
  const rawPartitions = 6;
  const texts = await textsOf("hdfs/raw_2pct.log.xz", lines);
  return {
    pipeline: "sessions",
    topic: "raw-hdfs",
    rawPartitions,
    options: {
      ...common,
      layout: "hdfs",
      key: { pattern: "blk_-?\\d+" },
      window: { kind: "session", gap: "24h", ...options },
    },
    messages: texts.map((text, place) => ({
      value: envelope("namenode", "/var/log/hdfs.log", place, text),
      partition: place % rawPartitions,
    })),
  };
}

export const slidingSize = 20;

/** BGL's sample from as many hosts as it takes, in windows of 20 lines every 10; each host stays on one partition. */
export async function sliding(lines: number): Promise<Workload> {
  const rawPartitions = 3;
  const texts = await textsOf("bgl/BGL_2k.log", lines);
  const hosts = Math.ceil(lines / texts.length);
  const messages = texts.flatMap((text, place) =>
    Array.from({ length: hosts }, (_, host) => ({
      value: envelope(`node${host}`, "/var/log/bgl.log", place, text),
      partition: host % rawPartitions,
    })),
  );
  return {
    pipeline: "sliding",
    topic: "raw-bgl",
    rawPartitions,
    options: { ...common, layout: "bgl", window: { kind: "sliding", size: slidingSize, stride: 10 } },
    messages: messages.slice(0, lines),
  };
}

/** As the sample's. */
export function bglLine(content: string): string {
  return `- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.363779 R02-M1-N0-C:J12-U11 RAS KERNEL INFO ${content}`;
}

/** What a fault sends alone. */
export const anew: Workload = {
  pipeline: "anew",
  topic: "raw-anew",
  rawPartitions: 1,
  options: { ...common, window: { kind: "sliding", size: 10, stride: 10 } },
  messages: [],
};

export function envelope(host: string, path: string, offset: number, message: string): string {
  return JSON.stringify({
    "@timestamp": new Date().toISOString(),
    "@metadata": { beat: "filebeat", type: "_doc", version: "8.15.0" },
    host: { name: host },
    log: { file: { path }, offset },
    message,
  });
}

async function textsOf(file: string, most: number): Promise<string[]> {
  const texts: string[] = [];
  for await (const records of readRecords(dataFile(file)))
    for (const { value } of records) {
      if (texts.length === most) return texts;
      texts.push(value?.toString("latin1") ?? "");
    }
  return texts;
}
