import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../../errors.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { isoTime } from "../../verdict/anomaly.ts";
import type { ShadowDifference, ShadowMessage, ShadowModel, ShadowPair } from "../../verdict/shadow.ts";
import type { Verdict } from "../../verdict/verdict.ts";
import type { Window } from "../../window/window.ts";
import type { NextModel } from "./next-model.ts";
import { createTally, outcomeOf, saidBy } from "./tally.ts";

/** Judges by the next bundle what the live one has judged, and tells where they disagree. Nothing waits for it. */
export interface Shadow {
  /** Takes note of verdicts that are published. Returns at once and never throws. */
  offer(verdicts: readonly Verdict[]): void;
  /** Drops what waits, and tells what was counted. */
  close(): Promise<void>;
}

/** What waits for the next model is bounded: beyond, windows are left out and counted. */
const maxWaitingBytes = 16 * 2 ** 20;
const countsEveryMs = 60_000;
const closeWithinMs = 2_000;
const lineOverhead = 100;

export function createShadow(
  deps: {
    next: NextModel;
    send: (messages: readonly ShadowMessage[]) => Promise<void>;
    metrics: Pick<Metrics, "shadowWindows" | "shadowScoreDifference">;
    logger: Logger;
  },
  options: {
    pipeline: string;
    live: ShadowModel;
    /** Of windows: which, depends on their id alone, so that a repeat is the same. */
    share: number;
    batchWindows: number;
  },
): Shadow {
  const { next, metrics, logger } = deps;
  const { pipeline, live } = options;
  const tally = createTally(pipeline);
  const waiting: Verdict[] = [];
  let waitingBytes = 0;
  let running: Promise<void> | undefined;
  let isClosed = false;
  /** As it was last; what is counted before it was ever open is told with the first that is. */
  let models: ShadowPair | undefined;

  function leaveOut(windows: number): void {
    if (windows === 0) return;
    tally.leftOut(windows);
    metrics.shadowWindows.inc({ pipeline, outcome: "left-out" }, windows);
  }

  /** Something waits: it must not end before its promise is held. */
  async function run(): Promise<void> {
    while (waiting.length > 0 && !isClosed) await judge(take());
    running = undefined;
  }

  function take(): Verdict[] {
    const batch = waiting.splice(0, options.batchWindows);
    for (const { window } of batch) waitingBytes -= bytesOf(window);
    return batch;
  }

  async function judge(batch: readonly Verdict[]): Promise<void> {
    try {
      const { judgements, model } = await next.judge(
        batch.map(({ window: { maskHash, lines } }) => ({
          maskHash,
          lines: lines.map(({ text, masked }) => ({ text, masked })),
        })),
      );
      const pair = { live, next: model };
      models = pair;
      const differences: ShadowDifference[] = [];
      for (const [place, verdict] of batch.entries()) {
        const judgement = judgements[place];
        if (judgement === undefined) throw new Error("It answered fewer windows than it was asked.");
        const said = { live: saidBy(verdict), next: saidBy(judgement) };
        const outcome = outcomeOf(said);
        tally.add(said.live, said.next);
        metrics.shadowWindows.inc({ pipeline, outcome });
        if (said.live.score !== null && said.next.score !== null)
          metrics.shadowScoreDifference.observe({ pipeline }, Math.abs(said.live.score - said.next.score));
        const { weights } = judgement.verdict === "anomalous" ? judgement : verdict;
        if (outcome !== "same") differences.push(differenceOf(verdict.window, pair, said, weights));
      }
      await tell(differences);
    } catch (thrown) {
      leaveOut(batch.length);
      // Without the model none of what waits can be judged; it is stale when the model is back.
      leaveOut(waiting.length);
      waiting.length = 0;
      waitingBytes = 0;
      if (isClosed) return;
      logger.warn("The next bundle cannot judge for now; live verdicts go on.", {
        pipeline,
        secondsUntilTry: Math.round(next.awayForMs() / 1000),
        error: reasonOf(thrown),
      });
    }
  }

  /** What cannot be told is lost: no verdict that counts depends on it. */
  async function tell(messages: readonly ShadowMessage[]): Promise<void> {
    if (messages.length === 0) return;
    try {
      await deps.send(messages);
    } catch (thrown) {
      logger.warn("What the next bundle would change cannot be told; live verdicts go on.", {
        pipeline,
        messages: messages.length,
        error: reasonOf(thrown),
      });
    }
  }

  async function tellCounts(): Promise<void> {
    const counts = models === undefined ? undefined : tally.take(models);
    if (counts !== undefined) await tell([counts]);
  }

  const timer = setInterval(() => void tellCounts(), countsEveryMs);
  timer.unref();
  return {
    offer(verdicts) {
      const closed = verdicts.filter(
        ({ window }) => window.reason !== "open" && isSampled(window.id, options.share),
      );
      if (isClosed || next.awayForMs() > 0) return leaveOut(closed.length);
      for (const verdict of closed) {
        const bytes = bytesOf(verdict.window);
        if (waitingBytes + bytes > maxWaitingBytes) {
          leaveOut(1);
          continue;
        }
        waiting.push(verdict);
        waitingBytes += bytes;
      }
      if (waiting.length > 0) running ??= run();
    },
    async close() {
      isClosed = true;
      clearInterval(timer);
      next.close();
      leaveOut(waiting.length);
      const told = Promise.resolve(running).then(tellCounts);
      await Promise.race([told, sleep(closeWithinMs, undefined, { ref: false })]);
    },
  };
}

/** By the beginning of an id, which is a hash. */
function isSampled(id: string, share: number): boolean {
  return Number.parseInt(id.slice(0, 8), 16) < share * 2 ** 32;
}

function bytesOf({ lines }: Window): number {
  return lines.reduce((sum, { text, masked }) => sum + 2 * (text.length + masked.length) + lineOverhead, 0);
}

function differenceOf(
  window: Window,
  models: ShadowPair,
  said: Pick<ShadowDifference, "live" | "next">,
  weights: readonly number[] | undefined,
): ShadowDifference {
  return {
    kind: "difference",
    pipeline: window.pipeline,
    models,
    id: window.id,
    key: window.key,
    start: isoTime(window.start),
    end: isoTime(window.end),
    ...said,
    lines: window.lines.map(({ text, masked }, place) => {
      const weight = weights?.[place];
      return { text, masked, ...(weight === undefined ? {} : { weight }) };
    }),
  };
}
