import { createHash } from "node:crypto";
import type { LinesMessage } from "../ingest/lines-message.ts";
import type { Cut, Cutter } from "./cutter.ts";
import { createSessionCutter } from "./session.ts";
import { createSlidingCutter } from "./sliding.ts";
import { createStreamTime } from "./stream-time.ts";
import type { Window, WindowSpec } from "./window.ts";

/**
 * The second stage, for one lines-partition: its messages, in order, to closed windows. A function of the messages
 * alone: the same partition gives the same windows, however its messages are batched and whenever they are read.
 */
export interface PartitionWindower {
  /** `offset`: of the message in the lines-partition; what was taken in before is dropped. */
  advance(batch: readonly { offset: number; message: LinesMessage }[]): Window[];
  stats(): { openWindows: number; repeatedLines: number };
}

export function createPartitionWindower(options: { pipeline: string; spec: WindowSpec }): PartitionWindower {
  const { pipeline, spec } = options;
  const cutter: Cutter = spec.kind === "sliding" ? createSlidingCutter(spec) : createSessionCutter(spec);
  const streamTime = createStreamTime();
  let expected = 0;
  let repeatedLines = 0;
  let lastMaskHash = "";

  function* take(message: LinesMessage): Generator<Window> {
    if (message.kind === "flush") {
      for (const cut of cutter.flush()) yield windowOf(pipeline, cut, lastMaskHash);
      return;
    }
    lastMaskHash = message.maskHash;
    for (const { keys, ...line } of message.lines) {
      if (streamTime.isRepeat(message, line.position)) {
        repeatedLines++;
        continue;
      }
      for (const key of keys)
        for (const cut of cutter.add(key, line)) yield windowOf(pipeline, cut, lastMaskHash);
    }
    streamTime.report(message);
    for (const cut of cutter.advance(streamTime.now())) yield windowOf(pipeline, cut, lastMaskHash);
  }

  return {
    advance(batch) {
      const windows: Window[] = [];
      for (const { offset, message } of batch) {
        if (offset < expected) continue;
        expected = offset + 1;
        windows.push(...take(message));
      }
      return windows;
    },
    stats: () => ({ openWindows: cutter.openWindows(), repeatedLines }),
  };
}

function windowOf(pipeline: string, { key, lines, reason }: Cut, maskHash: string): Window {
  const [first, last] = [lines[0], lines.at(-1)];
  if (first === undefined || last === undefined) throw new Error("A window was cut without lines.");
  const { topic, partition, offset, index } = first.position;
  const id = createHash("sha256")
    .update(JSON.stringify([pipeline, key, topic, partition, offset, index]))
    .digest("hex")
    .slice(0, 32);
  return { id, pipeline, key, revision: 0, reason, start: first.time, end: last.time, lines, maskHash };
}
