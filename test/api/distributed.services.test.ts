import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { freePorts } from "../../scripts/services.mjs";
import { decodeFeedback, encodeFeedback } from "../../src/codec/feedback.ts";
import { connectRedis } from "../../src/redis/client.ts";
import { simulateHdfs } from "../../src/simulate/hdfs.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { anomalyAt, idOf } from "../support/anomalies.ts";
import { type Api, apiOf } from "../support/api.ts";
import { publish } from "../support/publish.ts";
import { startRedisWithSentinel } from "../support/redis-nodes.ts";
import { services } from "../support/services.ts";
import { Stream } from "../support/stream.ts";
import { until } from "../support/until.ts";

let streams: Stream[] = [];
let redisServer: ChildProcess | undefined;
let stopRedis: (() => Promise<void>) | undefined;
afterEach(async () => {
  for (const stream of streams) stream.abandon();
  streams = [];
  redisServer?.kill("SIGKILL");
  await stopRedis?.();
  stopRedis = undefined;
});

type Client = Pick<Api, "url" | "port" | "ask">;
const waitMs = 120_000;

function streamFor(name: string, more: Record<string, unknown> = {}): Stream {
  const stream = new Stream(services, `test-${name}-${Date.now()}`);
  streams.push(stream);
  const pipeline = {
    ...{ topics: [`${stream.prefix}-raw`], from: "earliest", format: "filebeat", layout: "hdfs" },
    ...{ key: { pattern: "blk_-?\\d+" }, window: { kind: "session", gap: "24h" }, partitions: 2 },
  };
  // One that waits for something asks more often than a person.
  const api = { port: 0, limits: { requestsPerMinute: 100_000 } };
  stream.configure({ pipelines: { hdfs: pipeline }, api, ...more });
  return stream;
}

const idsOf = async (api: Client, query = "") =>
  (await api.ask(`/anomalies${query}`)).body.anomalies.map(({ id }: { id: string }) =>
    Number.parseInt(id, 16),
  );
const comes = (holds: () => Promise<boolean>, what: string) => until(holds, what, waitMs);

describe("the role api", () => {
  it("indexes its topics: revisions in whatever order, page by page, with what people say by API and command line", async () => {
    const stream = streamFor("api");
    const api = apiOf(await stream.start("api"));
    await publish(stream, [
      anomalyAt(1),
      anomalyAt(2, { early: "raised", revision: 8, window: { lines: 2, scored: 2, closed: "open" } }),
      anomalyAt(3, { pipeline: "other", fingerprint: "00000000000000bb" }),
      "no verdict",
      anomalyAt(4, { verdict: "undecided", score: null, reason: "LG_DECODE" }),
      anomalyAt(5, { early: "raised", revision: 1 }),
      anomalyAt(5, { early: "moved", revision: 2, movedTo: idOf(6) }),
      anomalyAt(6),
    ]);
    await comes(async () => (await idsOf(api)).includes(6), "the newest is indexed");
    expect(await idsOf(api)).toEqual([6, 4, 3, 2, 1]);
    expect((await api.ask(`/anomalies/${idOf(5)}`)).body).toMatchObject({
      stage: "moved",
      moved_to: idOf(6),
    });
    const page = await api.ask("/anomalies?limit=2&pipeline=hdfs");
    expect(await idsOf(api, `?limit=2&pipeline=hdfs&cursor=${page.body.next_cursor}`)).toEqual([2, 1]);
    expect(await idsOf(api, "?verdict=undecided")).toEqual([4]);
    expect(await idsOf(api, "?from=2026-11-24T00:03:00Z&to=2026-11-24T00:04:00Z")).toEqual([3, 2]);
    expect(await idsOf(api, "?origin=node-1&fingerprint=00000000000000bb")).toEqual([3]);

    // A raised one that turns out normal is no anomaly any more.
    await publish(stream, [anomalyAt(2, { early: "withdrawn", verdict: "normal", revision: 9 })]);
    await comes(async () => !(await idsOf(api)).includes(2), "it is withdrawn");
    expect(await idsOf(api, "?verdict=normal")).toEqual([2]);

    const said = await api.ask(`/anomalies/${idOf(1)}/feedback`, {
      body: { judgement: "false-alarm", note: "ü" },
    });
    expect(said.status).toBe(201);
    // Who said it sees it at once.
    expect(await idsOf(api, "?feedback=false-alarm")).toEqual([1]);
    await publish(stream, [anomalyAt(7)]);
    await comes(async () => {
      const { body } = await api.ask("/suppressions");
      return body.suppressions[0]?.windows === 1;
    }, "what came after the false alarm is counted");
    expect((await api.ask("/suppressions")).body.suppressions).toMatchObject([
      { anomaly_id: idOf(1), state: "active", note: "ü", newest: { id: idOf(7) } },
    ]);
    expect((await api.ask("/patterns?pipeline=hdfs")).body.patterns).toMatchObject([
      {
        fingerprint: "00000000000000aa",
        windows: 3,
        suppressed: true,
        feedback: { confirmed: 0, false_alarms: 1 },
      },
    ]);
    // Another bundle may be right where this one was not.
    await publish(stream, [anomalyAt(8, { model: { name: "starter", version: "2.0.0" } })]);
    await comes(
      async () => (await api.ask("/suppressions")).body.suppressions[0].state === "other-bundle",
      "another bundle ends the suppression",
    );

    const told = JSON.parse(
      await stream.command(["feedback", idOf(6), "confirmed", "--note", "disk of node-1 was dying"]),
    );
    expect(told).toMatchObject({ id: idOf(6), judgement: "confirmed", pipeline: "hdfs" });
    await comes(async () => (await idsOf(api, "?feedback=confirmed")).includes(6), "the command is heard of");
    await stream.command(["feedback", idOf(3), "confirmed"]);
    await stream.command(["feedback", idOf(3), "undone"]);
    await comes(
      async () => (await idsOf(api, "?feedback=confirmed")).length === 1,
      "and that it was taken back",
    );
    expect(await stream.command(["feedback", idOf(99), "confirmed"], [1])).toBe("");

    const messages = await stream.readAll(`${stream.prefix}.feedback`);
    // A producer that is not sure sends again.
    expect([...new Set(messages.map(({ key }) => String(key)))].sort()).toEqual([1, 3, 6].map(idOf));
    const first = messages.find(({ key }) => String(key) === idOf(1));
    expect(decodeFeedback(first?.value ?? Buffer.alloc(0))).toMatchObject({
      ...{ judgement: "false-alarm", by: "local", note: "ü", fingerprint: "00000000000000aa" },
      lines: [{ text: "block 1 received" }, { masked: "exception <*> of disk" }],
    });
    const rows = (await stream.command(["feedback", "export"])).trim().split("\n");
    expect(rows.map((row) => JSON.parse(row))).toEqual([
      { label: 0, lines: ["block <*> received", "exception <*> of disk"] },
      { label: 1, lines: ["block <*> received", "exception <*> of disk"] },
    ]);
    const raw = await stream.command(["feedback", "export", "--raw", "--pipeline", "hdfs"]);
    expect(JSON.parse(raw.split("\n")[0] ?? "").lines[0]).toBe("block 1 received");
    await stream.stop();
  });

  it("goes on where it was after a restart, and fills its index again when Redis has lost it", async () => {
    const stream = streamFor("api-lost");
    const first = await stream.start("api");
    await publish(stream, [anomalyAt(1), anomalyAt(2)]);
    await comes(async () => (await idsOf(apiOf(first))).length === 2, "both are indexed");
    await apiOf(first).ask(`/anomalies/${idOf(1)}/feedback`, { body: { judgement: "confirmed" } });
    await sleep(2_000);
    await stream.end(first);

    const second = await stream.start("api");
    const api = apiOf(second);
    expect(await idsOf(api)).toEqual([2, 1]);
    const isRead = /^logguardian_consumer_lag\{pipeline="",role="api"\} 0$/m;
    await comes(async () => isRead.test((await api.ask("/metrics")).body), "all is read");
    expect(readFileSync(second.log, "utf8")).not.toContain("is filled from its topic");

    const redis = await connectRedis(
      { url: services.redis.url },
      { logger: silentLogger, health: createHealth() },
    );
    const key = (part: string) => `lg:v1:{${stream.prefix}:index}:${part}`;
    await redis.script("scoring-end", [key("state")], ["incarnation"]);
    await redis.script("scoring-end", [key("summaries")], [idOf(1)]);
    await redis.close();
    await comes(async () => (await idsOf(api, "?feedback=confirmed")).length === 1, "all is there again");
    expect(await idsOf(api)).toEqual([2, 1]);
    expect(stream.logs()).toContain("is filled from its topic");
    await stream.stop();
  });

  it("takes back by command line what was said of a verdict that is forgotten, by whatever clock, and keeps its lines", async () => {
    const stream = streamFor("api-forgotten");
    const topic = `${stream.prefix}.anomalies`;
    await stream.createTopic(topic, 1);
    await publish(stream, [anomalyAt(1), anomalyAt(2)]);
    await stream.command(["feedback", idOf(1), "confirmed"]);
    const model = { name: "starter", version: "1.1.0" };
    const ahead = { id: idOf(2), pipeline: "hdfs", fingerprint: "00000000000000aa", by: "me", model };
    const said = encodeFeedback({
      ...{ ...ahead, judgement: "false-alarm", at: Date.now() + 300_000 },
      lines: [{ text: "block 2", masked: "block <*>" }],
    });
    const producer = stream.kafka.producer();
    await producer.connect();
    await producer.send({ topic: `${stream.prefix}.feedback`, messages: [{ key: idOf(2), value: said }] });
    await producer.disconnect();
    const admin = stream.kafka.admin();
    await admin.connect();
    const [{ high: offset = "" } = {}] = await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] });
    await admin.disconnect();

    const rows = async () => (await stream.command(["feedback", "export"])).trim().split("\n");
    expect((await rows()).map((row) => JSON.parse(row))).toEqual([
      { label: 1, lines: ["block <*> received", "exception <*> of disk"] },
      { label: 0, lines: ["block <*>"] },
    ]);
    const told = JSON.parse(await stream.command(["feedback", idOf(2), "undone"]));
    expect(told).toMatchObject({ ...ahead, judgement: "undone", by: expect.any(String) });
    await stream.command(["feedback", idOf(1), "false-alarm"]);
    expect((await rows()).map((row) => JSON.parse(row))).toEqual([
      { label: 0, lines: ["block <*> received", "exception <*> of disk"] },
    ]);
    expect(await stream.command(["feedback", idOf(3), "undone"], [1])).toBe("");
  });

  it("has everything again after a failover that lost what Redis took last, and tells who listens", async () => {
    const { sentinel, endReplication, killUnreplicated, stop } = await startRedisWithSentinel();
    stopRedis = stop;
    const stream = streamFor("api-failover", { redis: { sentinel } });
    const process = await stream.start("api");
    const api = apiOf(process);
    await publish(stream, [anomalyAt(1)]);
    await comes(async () => (await idsOf(api)).length === 1, "it is indexed");
    await endReplication();
    await publish(stream, [anomalyAt(2), anomalyAt(3)]);
    await comes(async () => (await idsOf(api)).length === 3, "what follows is indexed, too");
    await comes(
      async () => (await stream.metric(process, "logguardian_commit_age_seconds")).every((age) => age === 0),
      "it is committed",
    );
    const gone = new AbortController();
    const events = await fetch(`${api.url}/anomalies/stream`, { signal: gone.signal });
    let heard = "";
    void (async () => {
      for await (const part of events.body ?? []) heard += Buffer.from(part).toString();
    })().catch(() => undefined);
    await comes(async () => heard.includes(": ready"), "somebody listens");

    killUnreplicated();
    await comes(async () => {
      const { status, body } = await api.ask("/anomalies");
      return status === 200 && body.anomalies.length === 3;
    }, "all is there again");
    await comes(async () => heard.includes("event: reset"), "the listener is told to list anew");
    gone.abort();
    await stream.stop();
  });

  it("takes no more listeners than it is told to, however many come at once", async () => {
    const stream = streamFor("api-streams", {
      api: { port: 0, limits: { requestsPerMinute: 100_000, streams: 2 } },
    });
    const api = apiOf(await stream.start("api"));
    const listeners = Array.from({ length: 8 }, () => new AbortController());
    const answers = await Promise.all(
      listeners.map(async (gone) => ({
        ...{ gone, response: await fetch(`${api.url}/anomalies/stream`, { signal: gone.signal }) },
      })),
    );
    const taken = answers.filter(({ response }) => response.status === 200);
    expect(taken).toHaveLength(2);
    const refused = answers.filter(({ response }) => response.status === 429);
    expect(refused).toHaveLength(6);
    taken[0]?.gone.abort();
    await comes(async () => {
      const gone = new AbortController();
      const { status } = await fetch(`${api.url}/anomalies/stream`, { signal: gone.signal });
      gone.abort();
      return status === 200;
    }, "there is room again");
    taken[1]?.gone.abort();
    await stream.stop();
  });

  it("goes on with a job that its process died over", async () => {
    const stream = streamFor("api-job");
    const first = await stream.start("api");
    const { lines } = simulateHdfs({ rate: 300, faultRate: 0.2, seed: 2, lines: 500, start: 1e12 });
    const logs = [...lines].map(({ text }) => ({ message: text })).slice(0, 500);
    const request = { logs, window_size: 30, stride: 1 };
    const queued = await apiOf(first).ask("/batch-detect", { body: request });
    expect(queued.body).toMatchObject({ state: "queued", windows: { total: 471 } });
    const path = `/batch-detect/${queued.body.id}`;
    const windowsOf = async (api: Client) => (await api.ask(path)).body.windows.done;
    await comes(async () => (await windowsOf(apiOf(first))) > 0, "some of it is done");
    stream.kill("api");

    const api = apiOf(await stream.start("api"));
    const left = await windowsOf(api);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(471);
    await until(async () => (await api.ask(path)).body.state === "done", "the job is done", 240_000);
    const { body } = await api.ask(path);
    expect(body.results.map(({ first_line }: { first_line: { index: number } }) => first_line.index)).toEqual(
      Array.from({ length: 471 }, (_, place) => place),
    );
    const again = await api.ask("/detect", { body: { ...request, logs: logs.slice(0, 100) } });
    const scores = (results: { score: number }[]) => results.slice(0, 30).map(({ score }) => score);
    expect(scores(body.results)).toEqual(scores(again.body.results));
    await stream.stop();
  });

  it("says that Redis is away, rather than keep callers waiting, and goes on when it is back", async () => {
    const [port = 0] = await freePorts(1);
    const serve = () =>
      spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", ""], {
        stdio: "ignore",
      });
    redisServer = serve();
    await sleep(500);
    const stream = streamFor("api-away", { redis: { url: `redis://127.0.0.1:${port}` } });
    const api = apiOf(await stream.start("api"));
    await publish(stream, [anomalyAt(1)]);
    await comes(async () => (await idsOf(api)).length === 1, "it is indexed");
    expect((await api.ask("/detect", { body: { logs: [{ message: "x" }] } })).status).toBe(200);
    // Of a job that was not taken nobody knows the name.
    redisServer.kill("SIGSTOP");
    const unheard = await api.ask("/batch-detect", { body: { logs: [{ message: "x" }] } });
    expect({ status: unheard.status, code: unheard.body.code }).toEqual({ status: 503, code: "LG_API_AWAY" });
    redisServer.kill("SIGCONT");
    const held = (...command: string[]) =>
      execFileSync("redis-cli", ["-p", String(port), ...command], { encoding: "utf8" }).trim();
    const jobs = `lg:v1:{${stream.prefix}:jobs}`;
    await comes(async () => held("get", `${jobs}:bytes`) === "0", "it came late, and was removed");
    expect(held("keys", `${jobs}:job:*`)).toBe("");

    redisServer.kill("SIGKILL");
    await sleep(500);
    const { status, headers, body } = await api.ask("/anomalies");
    expect({ status, code: body.code }).toEqual({ status: 503, code: "LG_API_AWAY" });
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await api.ask("/health")).body).toMatchObject({
      live: true,
      ready: false,
      waits: ["redis-away"],
    });
    expect((await api.ask("/detect", { body: { logs: [{ message: "x" }] } })).status).toBe(200);
    redisServer = serve();
    await comes(async () => (await api.ask("/anomalies")).body.anomalies?.length === 1, "it is filled again");
    await stream.stop();
  });
});

it("all roles in one process take lines from their topic to the API", async () => {
  const stream = streamFor("api-all");
  const topic = `${stream.prefix}-raw`;
  await stream.createTopic(topic, 1);
  const simulation = simulateHdfs({ rate: 300, faultRate: 0.2, seed: 2, lines: 600, start: 1e12 });
  const values = [...simulation.lines].map(({ text }, offset) =>
    JSON.stringify({
      log: { file: { path: "/var/log/hdfs.log" }, offset },
      host: { name: "node-1" },
      message: text,
    }),
  );
  const api = apiOf(await stream.start());
  const producer = stream.kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ value })) });
  await producer.disconnect();
  await stream.command(["flush", "--pipeline", "hdfs"]);
  const faulty = [...simulation.labels].filter(([, fault]) => fault !== null).map(([block]) => block);
  const keys = async () =>
    (await api.ask("/anomalies")).body.anomalies.map(({ key }: { key: string }) => key);
  await comes(async () => (await keys()).length >= faulty.length, "all of them are found");
  expect((await keys()).sort()).toEqual(faulty.sort());
  const { body } = await api.ask("/patterns");
  expect(body.patterns[0].top_origins[0].name).toBe("node-1:/var/log/hdfs.log");
  await stream.stop();
});
