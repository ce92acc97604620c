import { setTimeout as sleep } from "node:timers/promises";
import type kafkajs from "kafkajs";
import { afterEach, describe, expect, it } from "vitest";
import { simulateHdfs } from "../../src/simulate/hdfs.ts";
import type { Anomaly, EarlyStage } from "../../src/verdict/anomaly.ts";
import { anomalyFor } from "../support/anomalies.ts";
import { services } from "../support/services.ts";
import { Stream } from "../support/stream.ts";

let streams: Stream[] = [];
afterEach(() => {
  for (const stream of streams) stream.abandon();
  streams = [];
});

function streamFor(name: string): Stream {
  const stream = new Stream(services, `test-${name}-${Date.now()}`);
  streams.push(stream);
  return stream;
}

const parsed = (messages: readonly kafkajs.KafkaMessage[]) =>
  messages.map(({ value }) => JSON.parse(String(value)) as Anomaly);

async function send(stream: Stream, topic: string, values: readonly string[]): Promise<void> {
  const producer = stream.kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });
  await producer.disconnect();
}

describe("early verdicts", () => {
  it("are raised while a session goes on, and each is followed by a final one, which is that of a pipeline without", async () => {
    const stream = streamFor("early");
    const topic = `${stream.prefix}-raw`;
    const pipeline = {
      topics: [topic],
      from: "earliest",
      format: "filebeat",
      layout: "hdfs",
      key: { pattern: "blk_-?\\d+" },
      window: { kind: "session", gap: "24h" },
      partitions: 2,
    };
    const pipelines = { early: { ...pipeline, early: { everyLines: 2 } }, late: pipeline };
    stream.configure({ pipelines });
    await stream.createTopic(topic, 1);
    const simulation = simulateHdfs({ rate: 300, faultRate: 0.3, seed: 2, lines: 900, start: 1e12 });
    const values = [...simulation.lines].map(({ text }, offset) =>
      JSON.stringify({ log: { file: { path: "/a" }, offset }, message: text }),
    );
    await stream.start();
    for (let from = 0; from < values.length; from += 60) {
      await send(stream, topic, values.slice(from, from + 60));
      await sleep(200);
    }
    const anomalies = `${stream.prefix}.anomalies`;
    const isRaised = ({ logguardian: ours }: Anomaly) => ours.early === "raised";
    await stream.read(anomalies, (read) => parsed(read).some(isRaised), 180_000);
    for (const name of ["early", "late"]) await stream.command(["flush", "--pipeline", name]);

    const finalOf = (all: Anomaly[], name: string) =>
      all.filter(
        ({ logguardian: ours }) =>
          ours.pipeline === name && ours.verdict === "anomalous" && ours.early !== "raised",
      );
    const faulty = [...simulation.labels].filter(([, fault]) => fault !== null).length;
    const all = parsed(
      await stream.read(
        anomalies,
        (read) => {
          const seen = parsed(read);
          const finals = new Set(seen.filter((one) => !isRaised(one)).map(({ event }) => event.id));
          const counts = ["early", "late"].map((name) => finalOf(seen, name).length);
          return (
            Math.min(...counts) >= faulty &&
            counts[0] === counts[1] &&
            seen.every(({ event }) => finals.has(event.id))
          );
        },
        180_000,
      ),
    );
    const plain = (name: string) =>
      finalOf(all, name)
        .map(({ logguardian: { key, margin, lines } }) => [key, margin, lines.length, lines[0]?.weight])
        .sort();
    expect(plain("early")).toEqual(plain("late"));
    const raised = all.filter(isRaised);
    for (const { event, logguardian: ours } of raised) {
      const final = all.filter((one) => one.event.id === event.id && one.logguardian.early !== "raised");
      expect(final.map(({ logguardian }) => logguardian.early)).toEqual([
        final[0]?.logguardian.verdict === "normal" ? "withdrawn" : "confirmed",
      ]);
      expect(final[0]?.logguardian.revision).toBeGreaterThan(ours.revision);
      expect(ours.window.closed).toBe("open");
      // None need be positive: what makes a session that is cut off anomalous is what it lacks.
      expect(ours.lines.every(({ weight }) => weight !== undefined)).toBe(true);
    }
    expect(new Set(raised.map(({ event }) => event.id)).size).toBe(raised.length);

    // What is explained by its id is the final revision.
    const [one] = raised;
    const final = all.findLast(({ event }) => event.id === one?.event.id);
    const explained = JSON.parse(await stream.command(["explain", String(one?.event.id), "--json"]));
    expect(explained).toMatchObject({ id: one?.event.id, margin: final?.logguardian.margin });
    const patterns = (await stream.command(["explain", "--patterns", "--json"])).trim().split("\n");
    const counted = patterns.reduce((sum, row) => sum + JSON.parse(row).pattern.windows, 0);
    expect(counted).toBe(finalOf(all, "early").length + finalOf(all, "late").length);
    await stream.stop();
  });
});

describe("the alert of an early verdict", () => {
  it("stays when it is confirmed, changes with its fingerprint, and ends when it is withdrawn or moved", async () => {
    const stream = streamFor("early-alert");
    const pipeline = `early-${Date.now()}`;
    stream.configure({
      pipelines: {
        [pipeline]: {
          topics: ["raw"],
          format: "text",
          window: { kind: "session" },
          early: { everyLines: 2 },
        },
      },
    });
    await stream.createTopic("raw", 1).catch(() => undefined);
    await stream.start("alerter");
    const anomalies = `${stream.prefix}.anomalies`;
    const tell = (id: string, early: EarlyStage, verdict: "anomalous" | "normal", fingerprint?: string) =>
      send(stream, anomalies, [JSON.stringify(anomalyFor({ id, early, verdict, fingerprint, pipeline }))]);
    /** Fingerprints of the alerts that are active, how many windows each counts, and of which it speaks. */
    const active = async () => {
      const filter = encodeURIComponent(`pipeline="${pipeline}"`);
      const answer = await fetch(`${services.alertmanager.url}/api/v2/alerts?filter=${filter}`);
      const alerts = (await answer.json()) as {
        labels: { fingerprint: string };
        annotations: { since: string; verdict_id: string };
      }[];
      return alerts
        .map(({ labels, annotations }) => [
          labels.fingerprint,
          /\d+ windows?/.exec(annotations.since)?.[0],
          annotations.verdict_id,
        ])
        .sort();
    };
    const expectActive = (expected: unknown[]) => expect.poll(active, { timeout: 30_000 }).toEqual(expected);

    await tell("a", "raised", "anomalous", "f1");
    await expectActive([["f1", "1 window", "a"]]);
    await tell("a", "confirmed", "anomalous", "f1");
    await expectActive([["f1", "1 window", "a"]]);
    // Another window of the same fault is withdrawn: the first one holds the alert.
    await tell("b", "raised", "anomalous", "f1");
    await expectActive([["f1", "2 windows", "b"]]);
    await tell("b", "withdrawn", "normal");
    await expectActive([["f1", "1 window", "a"]]);
    await tell("c", "raised", "anomalous", "f2");
    await expectActive([
      ["f1", "1 window", "a"],
      ["f2", "1 window", "c"],
    ]);
    await tell("c", "confirmed", "anomalous", "f3");
    await expectActive([
      ["f1", "1 window", "a"],
      ["f3", "1 window", "c"],
    ]);
    await tell("d", "raised", "anomalous", "f4");
    await expectActive([
      ["f1", "1 window", "a"],
      ["f3", "1 window", "c"],
      ["f4", "1 window", "d"],
    ]);
    // What comes late, after the end, begins nothing again.
    await tell("c", "raised", "anomalous", "f2");
    await tell("d", "moved", "anomalous", "f4");
    await expectActive([
      ["f1", "1 window", "a"],
      ["f3", "1 window", "c"],
    ]);
    await stream.stop();
  });
});
