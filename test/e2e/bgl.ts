// `npm run e2e:bgl`: BGL_2k as Filebeat ships it with a key, sliding windows 100/50 kept in Redis while the windower
// is killed half way: windows and scores must equal those of `logguardian detect` on the file.
import { hostname } from "node:os";
import { readRecords } from "../../src/ingest/file-source.ts";
import type { RawRecord } from "../../src/ingest/line.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { dataFile } from "../support/data.ts";
import { check } from "../support/stream.ts";
import { endToEnd } from "./harness.ts";

const log = dataFile("bgl/BGL_2k.log");
const rawPartitions = 3;
/** Windows of 100 lines every 50: the lines that are read when the windower dies end inside one. */
const linesBeforeCrash = 1010;

await endToEnd("e2e:bgl", async (stream) => {
  stream.configure({
    pipelines: {
      bgl: {
        topics: ["raw-bgl"],
        from: "earliest",
        format: "filebeat",
        layout: "bgl",
        window: { kind: "sliding", size: 100, stride: 50 },
        partitions: 4,
        publish: "all",
      },
    },
  });
  await stream.createTopic("raw-bgl", rawPartitions);
  const output = await stream.command(["detect", log, "--pipeline", "bgl", "--all"], [3]);
  const local = output
    .trim()
    .split("\n")
    .map((row) => essence(JSON.parse(row)));
  console.log(`${local.length} windows in the file`);

  await stream.startAll();
  const records: RawRecord[] = [];
  for await (const batch of readRecords(log)) records.push(...batch);
  const producer = stream.kafka.producer();
  await producer.connect();
  const produce = (part: readonly RawRecord[]) =>
    producer.send({
      topic: "raw-bgl",
      messages: part.map(({ value, fileOffset }) => ({
        key: `${hostname()}:${log}`,
        value: JSON.stringify({
          "@timestamp": new Date().toISOString(),
          host: { name: hostname() },
          log: { file: { path: log }, offset: fileOffset },
          message: value?.toString("latin1"),
        }),
      })),
    });
  await produce(records.slice(0, linesBeforeCrash));
  const windowsBefore = Math.floor((linesBeforeCrash - 50) / 50);
  const before = await stream.verdicts(windowsBefore, { timeoutMs: 60_000 });
  check(
    before.length === windowsBefore,
    `${windowsBefore} windows close before the crash (${before.length})`,
  );
  stream.kill("windower");
  await stream.start("windower");
  await produce(records.slice(linesBeforeCrash));
  await producer.disconnect();
  console.log((await stream.command(["flush", "--pipeline", "bgl"])).trim());

  const verdicts = await stream.verdicts(local.length, { timeoutMs: 60_000 });
  check(verdicts.length === local.length, `there are ${local.length} verdicts (${verdicts.length})`);
  const inOrder = verdicts
    .sort((a, b) => offsetOf(a) - offsetOf(b))
    .map(({ logguardian }) => essence(logguardian));
  for (const [place, verdict] of inOrder.entries())
    check(verdict === local[place], `window ${place} is equal to detect's:\n${verdict}\n${local[place]}`);
  console.log(
    `${verdicts.length} windows and their scores are equal to logguardian detect, across a kill of the windower`,
  );
});

interface Essence {
  key: string;
  verdict: string;
  score: number;
  margin: number;
  lines: { text: string; masked: string; weight?: number }[];
}

function essence({ key, verdict, score, margin, lines }: Essence | Anomaly["logguardian"]): string {
  return JSON.stringify([
    key,
    verdict,
    score,
    margin,
    lines.map(({ text, masked, weight }) => [text, masked, weight]),
  ]);
}

function offsetOf({ logguardian }: Anomaly): number {
  return Number(logguardian.lines[0]?.position.split(":").at(-2));
}
