import { describe, expect, it } from "vitest";
import type { Judgement } from "../../src/classify/judgement.ts";
import type { NextModel } from "../../src/pipeline/shadow/next-model.ts";
import { createShadow } from "../../src/pipeline/shadow/shadow.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { ShadowMessage, ShadowModel } from "../../src/verdict/shadow.ts";
import type { Verdict } from "../../src/verdict/verdict.ts";
import { until } from "../support/until.ts";

const live: ShadowModel = { name: "live", version: "1", id: "a", threshold: 0.5 };
const next: ShadowModel = { ...live, name: "next", id: "b" };
const judgement: Judgement = {
  verdict: "normal",
  score: 0.25,
  margin: -1,
  logits: { normal: 1, anomalous: 0 },
  threshold: 0.5,
  linesScored: 1,
};

function verdictOf(id: number, text: string): Verdict {
  const position = { topic: "raw", partition: 0, offset: id, index: 0 };
  return {
    ...judgement,
    model: live,
    window: {
      id: id.toString(16).padStart(8, "0"),
      pipeline: "p",
      key: `key ${id}`,
      revision: 0,
      reason: "full",
      start: 0,
      end: 0,
      lines: [{ text, masked: text, time: 0, timeFrom: "record", origin: {}, position } as never],
      maskHash: "",
      formerIds: [],
    },
  };
}

interface Own {
  awayForMs?: () => number;
  isTold?: () => boolean;
}

/** A shadow of a model that answers as it is told, and what it tells and counts. */
function shadowOf(judge: NextModel["judge"], own: Own = {}) {
  const { awayForMs = () => 0, isTold = () => true } = own;
  const metrics = createMetrics();
  const told: ShadowMessage[] = [];
  const shadow = createShadow(
    {
      next: { judge, awayForMs, close: () => undefined },
      async send(messages) {
        if (!isTold()) throw new Error("no such topic");
        told.push(...messages);
      },
      metrics,
      logger: silentLogger,
    },
    { pipeline: "p", live, share: 1, batchWindows: 4 },
  );
  const counted = async (outcome: string) => {
    const [, value] = new RegExp(`outcome="${outcome}"} (\\d+)`).exec(await metrics.text()) ?? [];
    return Number(value ?? 0);
  };
  return { shadow, told, counted };
}

describe("a shadow", () => {
  it("lets no more than 16 MB wait for a model that does not answer", async () => {
    const { shadow, counted } = shadowOf(() => new Promise(() => undefined));
    const megabyte = "x".repeat(2 ** 18);
    shadow.offer(Array.from({ length: 30 }, (_, place) => verdictOf(place, megabyte)));
    // Two bytes a character, twice: the text and the masked text; the first batch is with the model.
    expect(await counted("left-out")).toBe(15);
    shadow.offer(Array.from({ length: 30 }, (_, place) => verdictOf(30 + place, megabyte)));
    expect(await counted("left-out")).toBe(15 + 26);
    await shadow.close();
    expect(await counted("left-out")).toBe(15 + 26 + 15);
  });

  it("leaves out what comes while its model is away, and goes on when it is back", async () => {
    let isAway = true;
    const { shadow, told, counted } = shadowOf(
      async (windows) => {
        if (isAway) throw new Error("away");
        return { judgements: windows.map(() => ({ ...judgement, verdict: "anomalous" })), model: next };
      },
      { awayForMs: () => (isAway ? 1000 : 0) },
    );
    shadow.offer([verdictOf(1, "a")]);
    expect(await counted("left-out")).toBe(1);
    isAway = false;
    shadow.offer([verdictOf(2, "b")]);
    await until(async () => (await counted("raised")) === 1, "the window is judged");
    await shadow.close();
    expect(told).toMatchObject([
      { kind: "difference", id: "00000002" },
      { kind: "counts", leftOut: 1, models: { live, next }, confusion: { normal: { anomalous: 1 } } },
    ]);
  });

  it("is not stopped by what cannot be told, nor by a window that is open", async () => {
    const judged: number[] = [];
    const { shadow, counted } = shadowOf(
      async (windows) => {
        judged.push(windows.length);
        return { judgements: windows.map(() => ({ ...judgement, verdict: "undecided" })), model: next };
      },
      { isTold: () => false },
    );
    const open = verdictOf(1, "a");
    open.window.reason = "open";
    shadow.offer([open]);
    shadow.offer([verdictOf(2, "b")]);
    await until(() => judged.length === 1, "the closed window is judged");
    shadow.offer([verdictOf(3, "c")]);
    await until(() => judged.length === 2, "the next one is judged too");
    expect(judged).toEqual([1, 1]);
    expect(await counted("undecided")).toBe(2);
    await shadow.close();
  });
});
