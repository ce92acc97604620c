// `npm run e2e:hdfs`: the raw HDFS sample through Kafka, Redis and Alertmanager in four processes, and the same file
// through `logguardian detect`: sessions, scores and verdicts must be equal, and each session must have one verdict.
import { setTimeout as sleep } from "node:timers/promises";
import { count, emptyCounts, metricsOf } from "../../src/evaluate/metrics.ts";
import { readRecords } from "../../src/ingest/file-source.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { dataFile } from "../support/data.ts";
import { check, type Stream } from "../support/stream.ts";
import { endToEnd } from "./harness.ts";

const log = dataFile("hdfs/raw_2pct.log.xz");
const labelsFile = dataFile("hdfs/raw_2pct_anomaly_label.csv.xz");
const sessions = 11_501;
const rawPartitions = 6;
const linesPerRequest = 1000;

await endToEnd("e2e:hdfs", async (stream, services) => {
  stream.configure({
    pipelines: {
      hdfs: {
        topics: ["raw-hdfs"],
        from: "earliest",
        format: "filebeat",
        layout: "hdfs",
        key: { pattern: "blk_-?\\d+" },
        window: { kind: "session", gap: "24h" },
        publish: "all",
        alert: { lines: "raw", maxActive: 10_000 },
      },
    },
  });
  await stream.createTopic("raw-hdfs", rawPartitions);
  console.log("Judging the file with logguardian detect …");
  const local = new Map(
    (await stream.command(["detect", log, "--pipeline", "hdfs", "--all"], [3]))
      .trim()
      .split("\n")
      .map((row) => JSON.parse(row) as LocalVerdict)
      .map((verdict) => [verdict.key, verdict]),
  );
  check(local.size === sessions, `detect judges ${sessions} sessions (${local.size})`);

  await stream.startAll();
  console.log("Producing Filebeat envelopes, unkeyed over 6 partitions …");
  const started = Date.now();
  const lines = await produce(stream);
  console.log(`  ${lines} lines produced in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  console.log((await stream.command(["flush", "--pipeline", "hdfs"])).trim());
  const flushed = Date.now();
  const verdicts = await stream.verdicts(sessions, {
    timeoutMs: 600_000,
    onProgress: (count) => console.log(`  ${count} of ${sessions} verdicts`),
  });
  const seconds = (Date.now() - started - 2_000) / 1000;

  check(verdicts.length === sessions, `there are exactly ${sessions} verdicts (${verdicts.length})`);
  const keys = new Set(verdicts.map(({ logguardian }) => logguardian.key));
  check(keys.size === sessions, `each session has one verdict (${keys.size} sessions)`);
  for (const verdict of verdicts) compare(verdict, local.get(verdict.logguardian.key));
  await checkAlerts(services.alertmanager.url, verdicts);

  const counts = emptyCounts();
  const labels = await readLabels();
  for (const { logguardian: ours } of verdicts)
    count(counts, ours.verdict === "anomalous", labels.get(ours.key) === "Anomaly");
  const anomalous = verdicts.filter(({ logguardian }) => logguardian.verdict === "anomalous").length;
  console.log(
    `${lines} lines, ${verdicts.length} sessions, ${anomalous} anomalous; all equal to logguardian detect`,
  );
  console.log(`F1 ${metricsOf(counts).f1?.toFixed(4)} (overlaps training), ${JSON.stringify(counts)}`);
  console.log(
    `${Math.round(lines / seconds)} lines per second from the first record to the last verdict, flush at ` +
      `${((flushed - started) / 1000).toFixed(1)} s of ${seconds.toFixed(1)} s`,
  );
});

interface LocalVerdict {
  key: string;
  verdict: string;
  score: number;
  margin: number;
  lines: { text: string; masked: string; weight?: number }[];
}

function compare({ logguardian: ours }: Anomaly, local: LocalVerdict | undefined): void {
  if (local === undefined) throw new Error(`The session ${ours.key} does not exist in the file.`);
  const of = (one: LocalVerdict) =>
    JSON.stringify([
      one.verdict,
      one.score,
      one.margin,
      one.lines.map(({ text, masked, weight }) => [text, masked, weight]),
    ]);
  const [streamed, file] = [of(ours as LocalVerdict), of(local)];
  check(streamed === file, `the session ${ours.key} is equal to detect's:\n${streamed}\n${file}`);
}

async function produce(stream: Stream): Promise<number> {
  const producer = stream.kafka.producer();
  await producer.connect();
  let lines = 0;
  let offset = 0;
  for await (const records of readRecords(log)) {
    for (let from = 0; from < records.length; from += linesPerRequest) {
      const messages = records.slice(from, from + linesPerRequest).map(({ value }) => {
        const message = value?.toString("utf8") ?? "";
        const envelope = {
          "@timestamp": new Date().toISOString(),
          "@metadata": { beat: "filebeat", type: "_doc", version: "8.15.0" },
          host: { name: "namenode" },
          log: { file: { path: "/var/log/hdfs.log" }, offset },
          message,
        };
        offset += (value?.length ?? 0) + 1;
        return { value: JSON.stringify(envelope), partition: lines++ % rawPartitions };
      });
      await producer.send({ topic: "raw-hdfs", messages });
    }
  }
  await producer.disconnect();
  return lines;
}

async function readLabels(): Promise<Map<string, string>> {
  const labels = new Map<string, string>();
  for await (const records of readRecords(labelsFile, { wholeLines: true }))
    for (const { value } of records) {
      const [block = "", label = ""] = (value?.toString() ?? "").trim().split(",");
      labels.set(block, label);
    }
  return labels;
}

/** Every fingerprint of the verdicts fires, and its annotations carry lines that stand in the verdicts. */
async function checkAlerts(alertmanager: string, verdicts: readonly Anomaly[]): Promise<void> {
  const anomalous = verdicts.filter(({ logguardian }) => logguardian.verdict === "anomalous");
  const fingerprints = new Set(anomalous.map(({ logguardian }) => logguardian.fingerprint));
  const texts = new Set(anomalous.flatMap(({ logguardian }) => logguardian.lines.map(({ text }) => text)));
  let alerts: {
    labels: Record<string, string>;
    annotations: Record<string, string>;
    status: { state: string };
  }[] = [];
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(500)) {
    const response = await fetch(`${alertmanager}/api/v2/alerts?active=true`);
    alerts = (await response.json()) as typeof alerts;
    if (alerts.length >= fingerprints.size) break;
  }
  check(
    alerts.length === fingerprints.size,
    `Alertmanager shows one firing alert for each of ${fingerprints.size} fingerprints (${alerts.length})`,
  );
  for (const { labels, annotations } of alerts) {
    check(fingerprints.has(labels.fingerprint), `the alert's fingerprint ${labels.fingerprint} is known`);
    const shown = (annotations.lines ?? "")
      .split("\n")
      .map((line) => line.replace(/^\S+ {2}/, "").replace(/ \(\d+ times\)$/, ""));
    check(
      shown.length > 0 && shown.every((line) => texts.has(line)),
      `the annotations carry the lines of the verdicts: ${annotations.lines}`,
    );
  }
  console.log(`Alertmanager shows ${alerts.length} firing alerts with their lines`);
}
