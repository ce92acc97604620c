import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { startServices } from "../../scripts/services.mjs";
import { simulateHdfs } from "../../src/simulate/hdfs.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { Stream } from "../support/stream.ts";

const rawPartitions = 3;
const pipeline = {
  topics: ["raw"],
  from: "earliest",
  format: "filebeat",
  layout: "hdfs",
  key: { pattern: "blk_-?\\d+" },
  window: { kind: "session", gap: "6s" },
  partitions: 4,
  publish: "all",
};

/** What a verdict says about its lines, the same wherever they were read. */
const essence = (key: string, one: { verdict: string; score: number | null; lines: { text: string }[] }) =>
  JSON.stringify([key, one.verdict, one.score, one.lines.map(({ text }) => text)]);

describe("the stream", () => {
  it("gives each session one verdict whatever dies: every process, the broker, and all that Redis holds", async () => {
    const services = await startServices();
    const stream = new Stream(services);
    const redis = new Redis(services.redis.url);
    try {
      stream.configure({ pipelines: { chaos: pipeline }, limits: { sessionTimeout: "6s" } });
      await stream.createTopic("raw", rawPartitions);
      const lines = [...simulateHdfs({ rate: 300, faultRate: 0.1, seed: 4, lines: 6000, start: 1e12 }).lines];
      const file = join(stream.folder, "hdfs.log");
      writeFileSync(file, lines.map(({ text }) => `${text}\n`).join(""));
      const local = (await stream.command(["detect", file, "--pipeline", "chaos", "--all"], [3]))
        .trim()
        .split("\n")
        .map((row) => JSON.parse(row))
        .map((verdict) => essence(verdict.key, verdict));

      await stream.startAll();
      // Idempotent: what a restarting broker stored without saying so must not come twice by our own doing.
      const producer = stream.kafka.producer({ allowAutoTopicCreation: false, idempotent: true });
      await producer.connect();
      const mishaps = [
        async () => {
          stream.kill("windower");
          await stream.start("windower");
        },
        async () => {
          stream.kill("ingester");
          await stream.start("ingester");
        },
        () => stream.start("windower"),
        () => services.kafka.restart(1_000),
        async () => {
          stream.kill("detector");
          await stream.start("detector");
        },
        async () => void (await redis.flushall()),
        async () => {
          stream.kill("windower");
          await redis.flushall();
          await stream.start("windower");
        },
      ];
      const pages = mishaps.length + 1;
      for (let page = 0; page < pages; page++) {
        const [from = 0, to] = [page, page + 1].map((at) => Math.floor((at * lines.length) / pages));
        const records = lines.slice(from, to).map(({ text, time }, place) => ({
          value: JSON.stringify({
            "@timestamp": new Date(time).toISOString(),
            log: { file: { path: "/var/log/hdfs.log" }, offset: from + place },
            message: text,
          }),
          partition: (from + place) % rawPartitions,
        }));
        await producer.send({ topic: "raw", messages: records });
        await sleep(1_500);
        await mishaps[page]?.();
      }
      await producer.disconnect();
      await stream.command(["flush", "--pipeline", "chaos"]);

      const verdicts = await stream.verdicts(local.length, { timeoutMs: 40_000 });
      const byId = new Map<string, Anomaly>();
      for (const verdict of verdicts) {
        const known = byId.get(verdict.event.id);
        if (known !== undefined) expect(verdict).toEqual(known);
        byId.set(verdict.event.id, verdict);
      }
      const streamed = [...byId.values()].map(({ logguardian }) => essence(logguardian.key, logguardian));
      expect(streamed.sort()).toEqual(local.sort());
      await stream.stop();
    } finally {
      stream.abandon();
      redis.disconnect();
      await services.stop();
    }
  }, 300_000);
});
