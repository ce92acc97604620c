import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { simulateHdfs } from "../../src/simulate/hdfs.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { parseShadow, type ShadowDifference } from "../../src/verdict/shadow.ts";
import { changeManifest, starterCopy } from "../support/bundles.ts";
import { services } from "../support/services.ts";
import { type Process, Stream } from "../support/stream.ts";
import { until } from "../support/until.ts";

let next: string;
beforeAll(() => {
  next = starterCopy();
  // Every margin becomes a high score: it calls all windows anomalous.
  changeManifest(next, (manifest) => {
    manifest.version = "9.0.0";
    manifest.calibration.shift = 50;
  });
});

/** The next model has the lowest priority, and other tests keep both cores busy. */
const soonMs = 240_000;

let streams: Stream[] = [];
afterEach(() => {
  for (const stream of streams) stream.abandon();
  streams = [];
});

/** Sessions of a pipeline `live` that has a next bundle, and of one, `alone`, that has none. */
async function streamWith(name: string, own: { bundle: string; share?: number }): Promise<Stream> {
  const stream = new Stream(services, `test-shadow-${name}-${Date.now()}`);
  streams.push(stream);
  const pipeline = {
    topics: [`${stream.prefix}-raw`],
    from: "earliest",
    format: "text",
    layout: "hdfs",
    key: { pattern: "blk_-?\\d+" },
    window: { kind: "session", gap: "24h" },
    partitions: 1,
    publish: "all",
    idleAfter: "10h",
  };
  stream.configure({ pipelines: { live: { ...pipeline, next: own }, alone: pipeline } });
  await stream.createTopic(`${stream.prefix}-raw`, 1);
  return stream;
}

/** Sends sessions, closes them, and returns the verdicts, by window. */
async function judged(stream: Stream, seed: number, before = 0): Promise<Anomaly[]> {
  const simulation = simulateHdfs({ rate: 300, faultRate: 0.3, seed, lines: 600, start: 1e12 });
  const producer = stream.kafka.producer();
  await producer.connect();
  const messages = [...simulation.lines].map(({ text }) => ({ value: text, partition: 0 }));
  await producer.send({ topic: `${stream.prefix}-raw`, messages });
  await producer.disconnect();
  for (const name of ["live", "alone"]) await stream.command(["flush", "--pipeline", name]);
  return stream.verdicts(before + 2 * simulation.labels.size, { timeoutMs: 240_000 });
}

const of = (all: readonly Anomaly[], name: string) =>
  all.filter(({ logguardian }) => logguardian.pipeline === name);
const shadowMessages = async (stream: Stream) =>
  (await stream.readAll(`${stream.prefix}.shadow`)).flatMap(({ value }) => parseShadow(value) ?? []);

/** The process in which a detector has its next model. */
function modelProcessOf({ child }: Process): number | undefined {
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const [command, stat] = ["cmdline", "stat"].map((file) =>
        readFileSync(join("/proc", name, file), "utf8"),
      );
      const parent = Number(stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      if (parent === child.pid && command?.includes("model-process")) return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  return undefined;
}

describe("a pipeline's next bundle", () => {
  it("judges the same windows, tells what it would change, and changes nothing", async () => {
    const stream = await streamWith("changes", { bundle: next });
    const process = await stream.start();
    const verdicts = await judged(stream, 3);
    const [live, alone] = [of(verdicts, "live"), of(verdicts, "alone")];
    const plain = (all: readonly Anomaly[]) =>
      all.map(({ logguardian: { key, verdict, margin, model } }) => [key, verdict, margin, model]).sort();
    expect(plain(live)).toEqual(plain(alone));
    const normal = live.filter(({ logguardian }) => logguardian.verdict === "normal");
    expect(normal.length).toBeGreaterThan(0);
    expect(normal.length).toBeLessThan(live.length);

    const compared = async () =>
      (await stream.metric(process, "logguardian_shadow_windows_total")).reduce((sum, one) => sum + one, 0);
    await until(async () => (await compared()) >= live.length, "all windows are compared", soonMs);
    const text = await (await fetch(`http://127.0.0.1:${process.port}/metrics`)).text();
    expect(text).toContain(
      `logguardian_shadow_windows_total{pipeline="live",outcome="raised"} ${normal.length}\n`,
    );
    expect(text).toContain(
      `logguardian_shadow_windows_total{pipeline="live",outcome="same"} ${live.length - normal.length}\n`,
    );
    await stream.end(process);

    const messages = await shadowMessages(stream);
    // Kafka's clients may send one twice.
    const told = messages.filter((one): one is ShadowDifference => one.kind === "difference");
    const differences = [...new Map(told.map((one) => [one.id, one])).values()];
    expect(differences.map(({ id }) => id).sort()).toEqual(normal.map(({ event }) => event.id).sort());
    for (const { live: ours, next: others, models, lines } of differences) {
      expect([ours.verdict, others.verdict]).toEqual(["normal", "anomalous"]);
      expect(others.margin).toBe(ours.margin);
      expect([models.live.version, models.next.version]).toEqual([
        live[0]?.logguardian.model.version,
        "9.0.0",
      ]);
      expect(lines.some(({ weight = 0 }) => weight > 0)).toBe(true);
    }

    const report = JSON.parse(await stream.command(["model", "shadow", "--pipeline", "live", "--top", "2"]));
    expect(report).toMatchObject({ windows: live.length, leftOut: 0 });
    expect(report.agreement).toBeCloseTo((live.length - normal.length) / live.length);
    expect(report.confusion.normal).toEqual({ normal: 0, anomalous: normal.length, undecided: 0 });
    expect(report.differences).toHaveLength(2);
    // What the next bundle says is on no topic that anyone is alerted from.
    const said = (await stream.readAll(`${stream.prefix}.anomalies`)).map(({ value }) => String(value));
    expect(said.filter((one) => one.includes("9.0.0"))).toEqual([]);
    await stream.stop();
  }, 900_000);

  it("judges the share of the windows that is asked for", async () => {
    const stream = await streamWith("share", { bundle: next, share: 0.25 });
    // That it is made where it is missing shows above.
    await stream.createTopic(`${stream.prefix}.shadow`, 3);
    await stream.start();
    const live = of(await judged(stream, 4), "live");
    const sampled = live.filter(({ event }) => Number.parseInt(event.id.slice(0, 8), 16) < 2 ** 30);
    expect(sampled.length).toBeGreaterThan(0);
    const wanted = sampled.filter(({ logguardian }) => logguardian.verdict === "normal").length;
    await stream.read(`${stream.prefix}.shadow`, (read) => read.length >= wanted, soonMs);
    await stream.end();
    const told = (await shadowMessages(stream)).flatMap((one) => (one.kind === "difference" ? [one.id] : []));
    const ids = [...new Set(told)];
    const isSampled = new Set(sampled.map(({ event }) => event.id));
    expect(ids.filter((id) => !isSampled.has(id))).toEqual([]);
    expect(ids).toHaveLength(wanted);
    await stream.stop();
  }, 900_000);

  it("that is missing leaves live verdicts alone", async () => {
    const stream = await streamWith("missing", { bundle: "/nowhere" });
    const process = await stream.start();
    const verdicts = await judged(stream, 5);
    expect(of(verdicts, "live")).toHaveLength(of(verdicts, "alone").length);
    await until(
      () => stream.logs().includes("The next bundle cannot judge for now"),
      "the log says that the bundle is missing",
      soonMs,
    );
    expect(stream.logs()).toContain("There is no bundle in /nowhere");
    // Those of a second try are counted once that has failed, too.
    await expect
      .poll(() => stream.metric(process, "logguardian_shadow_windows_total"), { timeout: soonMs })
      .toEqual([of(verdicts, "live").length]);
    await stream.stop();
  }, 900_000);

  it("that hangs, or whose process dies, leaves live verdicts alone, and is asked again", async () => {
    const stream = await streamWith("dies", { bundle: next });
    await stream.createTopic(`${stream.prefix}.shadow`, 3);
    const running = await stream.start();
    const first = await judged(stream, 6);
    await until(() => modelProcessOf(running) !== undefined, "the next model has a process");
    await stream.read(`${stream.prefix}.shadow`, (read) => read.length > 0, soonMs);

    const stopped = modelProcessOf(running) ?? 0;
    process.kill(stopped, "SIGSTOP");
    const second = await judged(stream, 7, first.length);
    expect(of(second, "live").length).toBe(of(second, "alone").length);

    process.kill(stopped, "SIGKILL");
    await until(
      () => stream.logs().includes("Its process ended, with SIGKILL"),
      "the log says that the process ended",
    );
    // It is tried again ten seconds later.
    const before = (await stream.readAll(`${stream.prefix}.shadow`)).length;
    let seed = 8;
    let all = second;
    await until(
      async () => {
        all = await judged(stream, seed++, new Set(all.map(({ event }) => event.id)).size);
        const messages = await stream.readAll(`${stream.prefix}.shadow`);
        return messages.length > before;
      },
      "it judges again",
      2 * soonMs,
    );
    await stream.stop();
  }, 900_000);
});
