/**
 * What open windows cost: `node bench/window-memory.ts [--redis URL]`. Memory of a windower as in the distributed form,
 * where the other copy lies in Redis; with an URL also what that copy takes there.
 */

import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Redis } from "ioredis";
import { decodeLines, encodeLines } from "../src/codec/lines.ts";
import type { KeyedLine } from "../src/ingest/line.ts";
import type { LinesChunk } from "../src/ingest/lines-message.ts";
import { connectRedis } from "../src/redis/client.ts";
import { createRedisWindowStore } from "../src/redis/window-store.ts";
import { createHealth } from "../src/telemetry/health.ts";
import { silentLogger } from "../src/telemetry/logger.ts";
import { bytesOf } from "../src/window/entry.ts";
import { createPartitionWindower } from "../src/window/partition-windower.ts";
import type { WindowStore } from "../src/window/store.ts";
import type { WindowSpec } from "../src/window/window.ts";

const { values } = parseArgs({ options: { redis: { type: "string" } } });
const lines = 200_000;
const linesOfChunk = 1000;
const content =
  "DEBUG dfs.DataNode$PacketResponder: PacketResponder 1 for block of this name is terminating after 148 ms";
const session: WindowSpec = { kind: "session", gapMs: 1_800_000, maxLines: 1000 };
const overlapping = { spanMs: 600_000, slideMs: 300_000 };
const cases: [string, WindowSpec, linesOfWindow: number][] = [
  ["session", session, 1],
  ["session", session, 10],
  ["session", session, 100],
  ["sliding 32/16", { kind: "sliding", size: 32, stride: 16 }, 10],
  ["time 10m/10m", { kind: "time", spanMs: 600_000, slideMs: 600_000, latenessMs: 0, maxLines: 1000 }, 10],
  ["time 10m/5m", { kind: "time", ...overlapping, latenessMs: 0, maxLines: 1000 }, 10],
];

function chunkOf(from: number, windows: number): LinesChunk {
  return {
    kind: "chunk",
    source: { topic: "raw", incarnation: "1", partition: 0 },
    topics: [{ topic: "raw", partitions: 1 }],
    through: { offset: from + linesOfChunk - 1, index: 0 },
    streamTime: 0,
    maskHash: "m",
    lines: Array.from({ length: linesOfChunk }, (_, place): KeyedLine => {
      const offset = from + place;
      const key = `blk_-${4_608_999_687_919_862 + (offset % windows)}`;
      return {
        position: { topic: "raw", partition: 0, offset, index: 0 },
        time: 1000,
        origin: { host: "node-17.example.com", file: "/var/log/hadoop/datanode.log" },
        fileOffset: offset * 130,
        text: `2026-11-27 04:00:00,000 ${content}`,
        masked: content,
        keys: [key],
      };
    }),
  };
}

const nothingKept: WindowStore = {
  load: async () => ({ incarnation: undefined, state: undefined }),
  reset: async () => "applied",
  apply: async () => "applied",
  acknowledge: async () => undefined,
};

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");
function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const client =
  values.redis === undefined
    ? undefined
    : await connectRedis({ url: values.redis }, { logger: silentLogger, health: createHealth() });
const observer = values.redis === undefined ? undefined : new Redis(values.redis);
const redisBytes = async () => Number(/used_memory:(\d+)/.exec((await observer?.info("memory")) ?? "")?.[1]);

async function measure(name: string, spec: WindowSpec, linesOfWindow: number): Promise<void> {
  const store =
    client === undefined ? nothingKept : createRedisWindowStore(client, `bench ${name}`, linesOfWindow);
  const windower = createPartitionWindower({ store }, { pipeline: "bench", spec });
  await windower.resume();
  const [heapBefore, redisBefore] = [heapBytes(), await redisBytes()];
  let counted = 0;
  for (let from = 0; from < lines; from += linesOfChunk) {
    const chunk = chunkOf(from, lines / linesOfWindow);
    for (const {
      keys: [key = ""],
      ...line
    } of chunk.lines)
      counted += bytesOf({ seq: from, offset: from, key, incarnation: "1", line });
    await windower.advance([{ offset: from, message: decodeLines(encodeLines(chunk)) }]);
  }
  const held = { heap: heapBytes() - heapBefore, redis: (await redisBytes()) - redisBefore, counted };
  const { openWindows } = windower.stats();
  const each = (bytes: number) => (Number.isNaN(bytes) ? "-" : String(Math.round(bytes))).padStart(9);
  console.log(
    `${name.padEnd(14)}${each(openWindows)}${each(linesOfWindow)} |` +
      `${each(held.heap / openWindows)}${each(held.redis / openWindows)} |` +
      `${each(held.heap / lines)}${each(held.redis / lines)}${each(held.counted / lines)}`,
  );
}

console.log(
  `Bytes of open windows; each line of ${content.length + 24} characters, and ${content.length} masked.\n`,
);
console.log("                                    of a window        | of a line");
console.log("kind            windows    lines |     heap    Redis |     heap    Redis  counted");
for (const one of cases) await measure(...one);
observer?.disconnect();
await client?.close();
