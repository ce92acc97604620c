import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import type { Services } from "../../scripts/services.mjs";
import { recordToVerdictBuckets } from "../../src/telemetry/metrics.ts";
import { check, type Process, Stream } from "../../test/support/stream.ts";
import { filebeatRecords, rawPartitions } from "./records.ts";
import { pipelineOf } from "./stages.ts";

/** From the shipper's stamp of a window's last line to the window's verdict, all roles at work. */
export interface LatencyFigures {
  linesPerSecond: number;
  windows: number;
  /** By share of the windows, seconds. */
  quantiles: Record<(typeof shares)[number], number>;
}

const shares = ["0.5", "0.95", "0.99"] as const;
const keys = 1_000;
/** Connections are made and code is compiled; what comes then counts. */
const warmUpMs = 15_000;
const measuredMs = 30_000;
const sendEveryMs = 50;
const metric = "logguardian_record_to_verdict_seconds_bucket";

/** Sends so many lines in a second, stamped when they are sent, and asks the detector's histogram. */
export async function measureLatency(services: Services, linesPerSecond: number): Promise<LatencyFigures> {
  const stream = new Stream(services, "bench-latency");
  const raw = `${stream.prefix}-raw`;
  // BGL's header would give its lines the times of 2005.
  stream.configure({ pipelines: { bench: { ...pipelineOf(raw), layout: "none", publish: "all" } } });
  stream.programs.detector = join(import.meta.dirname, "constant-detector.ts");
  try {
    await stream.createTopic(raw, rawPartitions);
    const detector = await stream.start("detector");
    await stream.start("windower");
    await stream.start("ingester");
    let before: number[] = [];
    let sent = 0;
    await sendAtRate(stream, raw, linesPerSecond, async (passedMs, lines) => {
      if (before.length > 0 || passedMs < warmUpMs) return;
      before = await bucketsOf(stream, detector);
      sent = lines;
    });
    const after = await bucketsOf(stream, detector);
    const counts = after.map((count, place) => count - (before[place] ?? 0));
    await stream.stop();
    const quantiles = Object.fromEntries(shares.map((share) => [share, quantileOf(counts, Number(share))]));
    return {
      linesPerSecond: Math.round(sent / (warmUpMs / 1000)),
      windows: counts.at(-1) ?? 0,
      quantiles: quantiles as LatencyFigures["quantiles"],
    };
  } catch (thrown) {
    stream.abandon();
    throw thrown;
  }
}

async function sendAtRate(
  stream: Stream,
  topic: string,
  linesPerSecond: number,
  onSent: (passedMs: number, lines: number) => Promise<void>,
): Promise<void> {
  const producer = stream.kafka.producer();
  await producer.connect();
  const lines = Math.ceil((linesPerSecond * (warmUpMs + measuredMs)) / 1000);
  const at = Math.max(1, Math.round((linesPerSecond * sendEveryMs) / 1000));
  const started = Date.now();
  let sent = 0;
  for await (const messages of filebeatRecords(lines, keys, { at, live: true })) {
    await producer.send({ topic, messages, compression: kafkajs.CompressionTypes.GZIP });
    sent += messages.length;
    const passedMs = Date.now() - started;
    await onSent(passedMs, sent);
    await sleep(Math.max(0, (sent / linesPerSecond) * 1000 - passedMs));
  }
  await producer.disconnect();
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
