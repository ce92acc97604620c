import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { Redis } from "ioredis";
import type { KafkaMessage } from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Alert } from "../../src/alert/alert.ts";
import type { ReplaySummary } from "../../src/pipeline/replay.ts";
import { simulateHdfs } from "../../src/simulate/hdfs.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { root } from "../support/data.ts";
import { services } from "../support/services.ts";
import { Stream } from "../support/stream.ts";
import { until } from "../support/until.ts";

const stream = new Stream(services, `test-replay-${Date.now()}`);
const topic = `${stream.prefix}-raw`;
const anomalies = `${stream.prefix}.anomalies`;
const admin = stream.kafka.admin();
const pipeline = {
  topics: [topic],
  from: "earliest",
  format: "json",
  layout: "hdfs",
  key: { pattern: "blk_-?\\d+" },
  window: { kind: "session", gap: "6s" },
  partitions: 2,
  publish: "all",
  // Nothing changes by itself while what is live is looked at.
  idleAfter: "1h",
  // Other tests have pipelines of this name, and the same Alertmanager.
  alert: { hold: "1h", labels: { run: stream.prefix } },
};
/** Records of all that the pipeline can read. */
const readable = 580;
/** Kafka's time of the first line. */
const start = Date.parse("2026-11-24T02:00Z");
const texts = [...simulateHdfs({ rate: 300, faultRate: 0.2, seed: 3, lines: 600, start: 1e12 }).lines].slice(
  0,
  600,
);
let live: Anomaly[];

beforeAll(async () => {
  await admin.connect();
  stream.configure({ pipelines: { hdfs: pipeline } });
  await stream.createTopic(topic, 2);
  const producer = stream.kafka.producer();
  await producer.connect();
  const messages = texts.map(({ text }, place) => ({
    partition: place % 2,
    timestamp: String(start + 1000 * place),
    value: place < readable ? JSON.stringify({ message: text, offset: place }) : text,
  }));
  // One partition at a time: what a new one refuses is sent again to all of a request.
  for (const own of [0, 1])
    await producer.send({ topic, messages: messages.filter(({ partition }) => partition === own) });
  await producer.send({
    topic,
    messages: [{ partition: 0, timestamp: String(start + 600_000), value: "x".repeat(100_000) }],
  });
  await producer.disconnect();
  await stream.start();
  await stream.command(["flush", "--pipeline", "hdfs"]);
  const keys = new Set(texts.slice(0, readable).flatMap(({ text }) => text.match(/blk_-?\d+/g) ?? []));
  live = await stream.verdicts(keys.size, { timeoutMs: 120_000 });
  await until(isAllDone, "the pipeline has committed all that it has read, and alerted of it", 60_000);
}, 300_000);

afterAll(async () => {
  await admin.disconnect();
  await stream.stop();
});

type Told = ReplaySummary & { pipeline: string; toRead: number; cut: number };

async function replay(...args: string[]): Promise<Told> {
  return JSON.parse(await stream.command(["replay", "--pipeline", "hdfs", "--json", ...args])) as Told;
}

async function verdictsOf(label: string, { published }: Told): Promise<Anomaly[]> {
  const isOurs = ({ headers }: KafkaMessage) => String(headers?.["lg-replay"]) === label;
  const all = await stream.read(anomalies, (read) => read.filter(isOurs).length >= published, 90_000);
  return all.filter(isOurs).map(({ value }) => JSON.parse(String(value)) as Anomaly);
}

/** What makes verdicts equal, but for their name. */
function contents(verdicts: readonly Anomaly[]) {
  return verdicts
    .map(({ logguardian: { key, score, margin, verdict, lines } }) => ({
      key,
      score,
      margin,
      verdict,
      lines,
    }))
    .sort((a, b) => (a.key + a.lines[0]?.position < b.key + b.lines[0]?.position ? -1 : 1));
}

/** An alerter commits what it has told. */
async function isAllDone(): Promise<boolean> {
  const { groups } = await admin.listGroups();
  const own = groups.filter(({ groupId }) => groupId.startsWith(stream.prefix));
  const behind = await Promise.all(
    own.map(async ({ groupId }) => {
      const lags = (await admin.fetchOffsets({ groupId })).map(async ({ topic: of, partitions }) => {
        const ends = await admin.fetchTopicOffsets(of);
        return partitions.filter(
          ({ partition, offset }) => ends.find((end) => end.partition === partition)?.high !== offset,
        );
      });
      return (await Promise.all(lags)).flat();
    }),
  );
  return behind.flat().length === 0;
}

/** All that the pipeline owns: topics and where they end, groups and their commits, keys, alerts. */
async function everything() {
  const topics = (await admin.listTopics()).filter((name) => name.startsWith(stream.prefix)).sort();
  const own = topics.filter((name) => name !== anomalies);
  const ends = await Promise.all(own.map((name) => admin.fetchTopicOffsets(name)));
  const groups = (await admin.listGroups()).groups
    .map(({ groupId }) => groupId)
    .filter((name) => name.startsWith(stream.prefix))
    .sort();
  const commits = await Promise.all(groups.map((groupId) => admin.fetchOffsets({ groupId })));
  // The alerter goes on past what others publish.
  const ownCommits = commits.map((held) => held.filter(({ topic: of }) => of !== anomalies));
  const redis = new Redis(services.redis.url);
  const keys = (await redis.keys(`*${stream.prefix}*`)).sort();
  await redis.quit();
  return { topics, ends, groups, ownCommits, keys, alerts: await alertsWith('pipeline="hdfs"') };
}

async function alertsWith(filter: string): Promise<Record<string, string>[]> {
  const filters = [filter, `run="${stream.prefix}"`].map((one) => `filter=${encodeURIComponent(one)}`);
  const url = `${services.alertmanager.url}/api/v2/alerts?${filters.join("&")}`;
  const alerts = (await (await fetch(url)).json()) as { labels: Record<string, string> }[];
  return alerts.map(({ labels }) => labels).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

describe("a replay", () => {
  it("of a time range gives the live verdicts under its own name, and touches nothing live", async () => {
    const before = await everything();
    expect(before.keys.length).toBeGreaterThan(0);
    const range = ["--from", "2026-11-24T02:00Z", "--to", "2026-11-24T02:09:40Z"];
    const told = await replay("--label", "all", ...range);
    expect(told).toMatchObject({ records: readable, toRead: readable, lines: readable, alerts: 0 });
    expect(told.windows).toBe(live.length);
    expect(await everything()).toEqual(before);
    const replayed = await verdictsOf("all", told);
    expect(contents(replayed)).toEqual(contents(live));
    for (const { logguardian } of replayed)
      expect(logguardian).toMatchObject({ pipeline: "hdfs.replay.all", replay: "all" });
    const ids = new Set(live.map(({ event }) => event.id));
    expect(replayed.filter(({ event }) => ids.has(event.id))).toEqual([]);
    expect(await alertsWith('replay="all"')).toEqual([]);
  });

  it("of offsets reads just these, and alerts under its label where it is told to", async () => {
    const before = await everything();
    const told = await replay("--label", "some", "--offsets", "0:0-149,1:50-199", "--alert");
    expect(told).toMatchObject({ records: 300, lines: 300 });
    expect(await everything()).toEqual(before);
    const replayed = await verdictsOf("some", told);
    const places = replayed.flatMap(({ logguardian }) =>
      logguardian.lines.map(({ position }) => position.split(":").slice(1, 3).map(Number)),
    );
    const offsetsOf = (wanted: number) =>
      places.filter(([partition]) => partition === wanted).map(([, offset]) => offset ?? -1);
    expect([Math.min(...offsetsOf(0)), Math.max(...offsetsOf(0))]).toEqual([0, 149]);
    expect([Math.min(...offsetsOf(1)), Math.max(...offsetsOf(1))]).toEqual([50, 199]);
    const alerts = await alertsWith('replay="some"');
    expect(told.alerts).toBeGreaterThan(0);
    expect(alerts).toHaveLength(told.alerts);
    expect(new Set(alerts.map((labels) => labels.pipeline))).toEqual(new Set(["hdfs.replay.some"]));
  });

  it("tells its alerts anew with each try, so that they go on from when an Alertmanager takes them", async () => {
    const tries: Alert[][] = [];
    const server = createServer(async (request, response) => {
      tries.push((await json(request)) as Alert[]);
      response.writeHead(tries.length === 1 ? 503 : 200).end();
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    stream.configure({ alertmanager: { urls: [url] }, pipelines: { hdfs: pipeline } });
    const told = await replay("--label", "late", "--offsets", "0:0-149,1:50-199", "--alert");
    server.close();
    stream.configure({ pipelines: { hdfs: pipeline } });
    expect(told.alerts).toBeGreaterThan(0);
    expect(tries.map((alerts) => alerts.length)).toEqual([told.alerts, told.alerts]);
    const [first, second] = tries.map(([one]) => one);
    expect(second?.startsAt).toBe(first?.startsAt);
    expect(Date.parse(second?.endsAt ?? "")).toBeGreaterThan(Date.parse(first?.endsAt ?? ""));
  });

  it("of dead letters reads them as the pipeline does now, and says what cannot be read again", async () => {
    const before = await everything();
    const still = await replay("--label", "before-fix", "--dead-letters");
    expect(still).toMatchObject({ records: 20, lines: 0, cut: 1, refused: { LG_RECORD_JSON: 20 } });
    stream.configure({ pipelines: { hdfs: { ...pipeline, format: "text" } } });
    const none = await replay("--label", "after-fix", "--dead-letters", "--reason", "LG_RECORD_SIZE");
    expect(none).toMatchObject({ records: 0, cut: 0 });
    const told = await replay("--label", "after-fix", "--dead-letters", "--reason", "LG_RECORD_JSON");
    expect(told).toMatchObject({ records: 20, lines: 20, cut: 1, refused: {} });
    expect(await everything()).toEqual(before);
    const lines = (await verdictsOf("after-fix", told)).flatMap(({ logguardian }) => logguardian.lines);
    const positions = new Set(lines.map(({ position }) => position));
    const expected = Array.from(
      { length: 20 },
      (_, place) => `${topic}:${place % 2}:${290 + (place >> 1)}:0`,
    );
    expect([...positions].sort()).toEqual(expected.sort());
    stream.configure({ pipelines: { hdfs: pipeline } });
  });

  it("that is a dry run says what it would read, and publishes nothing", async () => {
    const before = await admin.fetchTopicOffsets(anomalies);
    const range = ["--from", "2026-11-24T02:00Z", "--to", "2026-11-24T02:01Z", "--dry-run"];
    const said = await stream.command(["replay", "--pipeline", "hdfs", "--label", "dry", ...range]);
    expect(said).toBe(
      `${topic} partition 0: offsets 0 to 29\n${topic} partition 1: offsets 0 to 29\nhdfs.replay.dry would read 60 records (dry run).\n`,
    );
    expect(await replay("--label", "dry", "--dead-letters", "--dry-run")).toMatchObject({
      toRead: 20,
      cut: 1,
    });
    expect(await admin.fetchTopicOffsets(anomalies)).toEqual(before);
  });

  it("does not begin while another of its label runs", async () => {
    const other = stream.kafka.consumer({ groupId: `${stream.prefix}.hdfs.replay.busy` });
    const joined = new Promise((resolve) => other.on(other.events.GROUP_JOIN, resolve));
    await other.connect();
    await other.subscribe({ topics: [topic] });
    await other.run({ eachMessage: async () => undefined });
    await joined;
    const { status, stderr } = refusedReplay("--label", "busy", "--from", "2026-11-24T02:00Z");
    expect(stderr).toMatch(/^A replay of hdfs labelled busy runs already, .*\(LG_REPLAY_RUNS\)$/);
    expect(status).toBe(1);
    await other.disconnect();
  });

  it.each([
    [["--pipeline", "no", "--dead-letters"], /^There is no pipeline no\. The configuration has hdfs\./],
    [["--label", "Not this"], /^--label Not this cannot be a label\. Use at most 63 of a-z, 0-9 and -/],
    [["--from", "yesterday"], /^--from yesterday is no time\. Write it as 2026-11-24T02:00Z/],
    [["--from", "2026-11-24T03:00Z", "--to", "2026-11-24T02:00Z"], /^--from is not before --to\./],
    [["--from", "2030-01-01T00:00Z"], /^There is no record in this range\. Widen it/],
    [["--offsets", "0:5-1"], /^--offsets 0:5-1 is no range\. Write partition:first-last/],
    [["--offsets", "0:0-100000"], /does not hold offsets 0 to 100000\. It holds 0 to \d+\./],
    [["--offsets", "7:0-1"], /^The pipeline reads no partition 7 of /],
    [["--reason", "LG_RECORD_JSON"], /^--reason belongs to dead letters\./],
    [[], /^Nothing says what to replay\. Give --from, --offsets or --dead-letters\./],
  ])("of %j is refused in a sentence", (args, sentence) => {
    const { status, stderr } = refusedReplay("--label", "bad", ...args);
    expect(stderr).toMatch(sentence);
    expect(status).toBe(2);
  });
});

function refusedReplay(...args: string[]) {
  const of = ["replay", "--config", stream.configFile, "--pipeline", "hdfs", ...args];
  const { status, stderr } = spawnSync(process.execPath, [join(root, "bin/logguardian.js"), ...of], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, stderr: stderr.trim() };
}
