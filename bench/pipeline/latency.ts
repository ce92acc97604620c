import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import type { Services } from "../../scripts/services.mjs";
import { recordToVerdictBuckets } from "../../src/telemetry/metrics.ts";
import { check, type Process, Stream } from "../../test/support/stream.ts";
import { filebeatRecords, rawPartitions } from "./records.ts";
import { committed, pipelineOf } from "./stages.ts";

/** From the shipper's stamp of a window's last line to the window's verdict, all roles at work. */
export interface LatencyFigures {
  linesPerSecond: number;
  windows: number;
  /** By share of the windows, seconds. */
  quantiles: Record<(typeof shares)[number], number>;
}

const shares = ["0.5", "0.95", "0.99"] as const;
const keys = 1_000;
/** Read before anything is measured: connections are made and code is compiled. */
const waitingLines = 100_000;
const mostOfBatch = 1000;
const sendEverySeconds = 0.05;
const measuredSeconds = 30;
const metric = "logguardian_record_to_verdict_seconds_bucket";

/** All roles read what stands there already, which tells their capacity, then lines at half of it, stamped when sent. */
export async function measureLatency(services: Services): Promise<LatencyFigures> {
  const stream = new Stream(services, "bench-latency");
  const raw = `${stream.prefix}-raw`;
  // BGL's header would give its lines the times of 2005.
  stream.configure({ pipelines: { bench: { ...pipelineOf(raw), layout: "none", publish: "all" } } });
  stream.programs.detector = join(import.meta.dirname, "constant-detector.ts");
  const producer = stream.kafka.producer();
  try {
    await producer.connect();
    await stream.createTopic(raw, rawPartitions);
    await send(producer, raw, waitingLines);
    const detector = await stream.start("detector");
    await stream.start("windower");
    await stream.start("ingester");
    const started = performance.now();
    await drained(stream, raw);
    const linesPerSecond = waitingLines / 2 / ((performance.now() - started) / 1000);
    const before = await bucketsOf(stream, detector);
    await send(producer, raw, linesPerSecond * measuredSeconds, linesPerSecond);
    await drained(stream, raw);
    const counts = (await bucketsOf(stream, detector)).map((count, place) => count - (before[place] ?? 0));
    await stream.stop();
    const quantiles = shares.map((share) => [share, quantileOf(counts, Number(share))]);
    return { linesPerSecond, windows: counts.at(-1) ?? 0, quantiles: Object.fromEntries(quantiles) };
  } catch (thrown) {
    stream.abandon();
    throw thrown;
  } finally {
    await producer.disconnect();
  }
}

async function send(
  producer: kafkajs.Producer,
  topic: string,
  lines: number,
  linesPerSecond = Number.POSITIVE_INFINITY,
): Promise<void> {
  const at = Math.min(mostOfBatch, Math.ceil(linesPerSecond * sendEverySeconds));
  const started = performance.now();
  let sent = 0;
  for await (const messages of filebeatRecords(lines, keys, { at, live: true })) {
    await producer.send({ topic, messages, compression: kafkajs.CompressionTypes.GZIP });
    sent += messages.length;
    await sleep(Math.max(0, (sent / linesPerSecond) * 1000 - (performance.now() - started)));
  }
}

async function drained(stream: Stream, raw: string): Promise<void> {
  const { prefix } = stream;
  const topics = { ingester: raw, windower: `${prefix}.lines.bench`, detector: `${prefix}.windows.bench` };
  for (const [role, topic] of Object.entries(topics))
    await committed(stream, `${prefix}.bench.${role}`, topic);
}

/** Windows so far, by the upper bound of the time that their verdict took. */
async function bucketsOf(stream: Stream, detector: Process): Promise<number[]> {
  stream.assertAlive();
  const counts = await stream.metric(detector, metric);
  check(counts.length === recordToVerdictBuckets.length + 1, `the detector's metrics hold ${metric}`);
  return counts;
}

/** Within a bucket by proportion, as Prometheus does; beyond the last, its bound. */
function quantileOf(counts: readonly number[], share: number): number {
  const wanted = share * (counts.at(-1) ?? 0);
  const place = counts.findIndex((count) => count >= wanted);
  const [low, high] = [recordToVerdictBuckets[place - 1] ?? 0, recordToVerdictBuckets[place]];
  if (high === undefined) return low;
  const below = counts[place - 1] ?? 0;
  return low + ((wanted - below) / ((counts[place] ?? 0) - below)) * (high - low);
}
