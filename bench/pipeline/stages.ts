import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import kafkajs from "kafkajs";
import type { Services } from "../../scripts/services.mjs";
import { Stream } from "../../test/support/stream.ts";
import { filebeatRecords, rawPartitions } from "./records.ts";

/** Of one stage, alone on the machine, from its being ready to its last commit. */
export interface StageFigures {
  /** CPU-seconds for a million lines: what it costs whatever else the machine does. */
  cpuPerMillion: number;
  linesPerSecond: number;
}

export interface PipelineFigures {
  lines: number;
  keys: number;
  bare: StageFigures;
  ingester: StageFigures;
  windower: StageFigures;
  /** CPU-seconds of Redis for a million lines. */
  redisPerMillion: number;
  /** Lines per second and core of ingester and windower together, of those of the bare consumer. */
  ratio: number;
}

/** Of /proc/PID/stat. */
const ticksPerSecond = 100;

/**
 * Fills a raw topic, and lets the bare consumer, the ingester, the windower and the bare consumer again read it one after
 * another: what a machine gives varies from minute to minute.
 */
export async function measurePipeline(
  services: Services,
  lines: number,
  keys: number,
): Promise<PipelineFigures> {
  const stream = new Stream(services, `bench-${lines}-${keys}`);
  const raw = `${stream.prefix}-raw`;
  stream.configure({ pipelines: { bench: pipelineOf(raw) } });
  await stream.createTopic(raw, rawPartitions);
  await fill(stream, raw, lines, keys);
  const bareBefore = await measureBare(services.kafka.broker, raw, lines);
  const redis = new Redis(services.redis.url);
  const redisBefore = await cpuOfRedis(redis);
  const ingester = await measureRole(stream, "ingester", raw, lines);
  const windower = await measureRole(stream, "windower", `${stream.prefix}.lines.bench`, lines);
  const redisPerMillion = ((await cpuOfRedis(redis)) - redisBefore) * (1e6 / lines);
  await redis.flushall();
  redis.disconnect();
  await stream.stop();
  const bare = meanOf(bareBefore, await measureBare(services.kafka.broker, raw, lines));
  const ratio = bare.cpuPerMillion / (ingester.cpuPerMillion + windower.cpuPerMillion);
  return { lines, keys, bare, ingester, windower, redisPerMillion, ratio };
}

export const pipelineOf = (topic: string) => ({
  topics: [topic],
  from: "earliest",
  format: "filebeat",
  layout: "bgl",
  partitions: 4,
  window: { kind: "sliding", size: 32, stride: 32 },
  limits: { maxOpenWindows: 1_000_000, maxOpenBytes: "10GB" },
});

async function fill(stream: Stream, topic: string, lines: number, keys: number): Promise<void> {
  const producer = stream.kafka.producer();
  await producer.connect();
  for await (const messages of filebeatRecords(lines, keys))
    await producer.send({ topic, messages, compression: kafkajs.CompressionTypes.GZIP });
  await producer.disconnect();
}

async function measureBare(broker: string, topic: string, lines: number): Promise<StageFigures> {
  const program = join(import.meta.dirname, "bare-consumer.ts");
  const child = spawn(
    process.execPath,
    ["--disable-warning=TimeoutNegativeWarning", program, broker, topic, String(lines)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  await once(child, "close");
  const { cpuSeconds, seconds } = JSON.parse(said);
  return { cpuPerMillion: cpuSeconds * (1e6 / lines), linesPerSecond: lines / seconds };
}

function meanOf(one: StageFigures, other: StageFigures): StageFigures {
  return {
    cpuPerMillion: (one.cpuPerMillion + other.cpuPerMillion) / 2,
    linesPerSecond: 2 / (1 / one.linesPerSecond + 1 / other.linesPerSecond),
  };
}

async function measureRole(
  stream: Stream,
  role: string,
  topic: string,
  lines: number,
): Promise<StageFigures> {
  const one = await stream.start(role);
  const pid = one.child.pid ?? 0;
  const [cpu, started] = [cpuOf(pid), performance.now()];
  await committed(stream, `${stream.prefix}.bench.${role}`, topic);
  const [cpuSeconds, seconds] = [cpuOf(pid) - cpu, (performance.now() - started) / 1000];
  await stream.end(one);
  return { cpuPerMillion: cpuSeconds * (1e6 / lines), linesPerSecond: lines / seconds };
}

/** Until the group has committed all that stands in the topic. */
export async function committed(stream: Stream, groupId: string, topic: string): Promise<void> {
  const admin = stream.kafka.admin();
  await admin.connect();
  for (;;) {
    const ends = await admin.fetchTopicOffsets(topic);
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const offsets = new Map((found?.partitions ?? []).map(({ partition, offset }) => [partition, offset]));
    if (ends.every(({ partition, high }) => offsets.get(partition) === high)) break;
    stream.assertAlive();
    await sleep(100);
  }
  await admin.disconnect();
}

function cpuOf(pid: number): number {
  const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const fields = rest.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function cpuOfRedis(redis: Redis): Promise<number> {
  const info = await redis.info("cpu");
  return ["user", "sys"].reduce(
    (sum, kind) => sum + Number(new RegExp(`used_cpu_${kind}:(\\S+)`).exec(info)?.[1]),
    0,
  );
}
