import { describe, expect, it } from "vitest";
import { methodAgreement } from "../../src/benchmark/agreement.ts";
import type { BenchmarkData } from "../../src/benchmark/benchmark-data.ts";
import { methodFigures, speedOf } from "../../src/benchmark/figures.ts";
import { type Answer, answersOf, type MethodResult } from "../../src/benchmark/method.ts";
import type { DistinctWindow } from "../../src/evaluate/judged-windows.ts";
import { knownOf } from "../../src/evaluate/views.ts";

function window(...masked: string[]): DistinctWindow {
  return { key: masked.join("\n"), masked, margin: null, score: null, linesScored: 0 };
}

/** Normal and known to training, three times; normal; anomalous, twice; anomalous. Of 1, 2, 3 and 4 lines. */
const distinct = [
  window("a"),
  window("a", "b"),
  window("a", "b", "never"),
  window("b", "a", "a", "b"),
] as const;
const [known, normal, fault, quiet] = distinct;
const data: BenchmarkData = {
  name: "made up",
  train: [{ masked: known.masked, label: 0, count: 9 }],
  tested: [
    { window: known, label: 0, count: 2 },
    { window: known, label: 0, count: 1 },
    { window: normal, label: 0, count: 1 },
    { window: fault, label: 1, count: 2 },
    { window: quiet, label: 1, count: 1 },
  ],
  distinct,
  known: knownOf([{ window: known }, { window: window("b") }]),
};

function resultOf(windows: readonly DistinctWindow[], answers: Answer[], scoreSeconds: number): MethodResult {
  return { answers: answersOf(windows, answers), trainSeconds: null, scoreSeconds };
}

const answers: Answer[] = [
  { score: 1, anomalous: true },
  { score: 0, anomalous: false },
  { score: 2, anomalous: true },
  { score: null, anomalous: false },
];

describe("figures of a method", () => {
  const views = Object.fromEntries(
    methodFigures(data, answersOf(distinct, answers)).map(({ name, ...figures }) => [name, figures]),
  );

  it("weigh windows by how often they occur, and do not where each counts once", () => {
    // Flagged: `known`, three times and wrongly; `fault`, twice. `quiet` could not be judged and is missed.
    expect(views["all windows"]?.metrics).toMatchObject({ precision: 2 / 5, recall: 2 / 3 });
    expect(views["distinct windows"]?.metrics).toMatchObject({ precision: 1 / 2, recall: 1 / 2 });
  });

  it("tell apart what training has not seen", () => {
    expect(views["distinct windows never seen in training"]).toMatchObject({
      windows: 3,
      metrics: { precision: 1, recall: 1 / 2 },
    });
    expect(views["windows with a line never seen in training"]?.windows).toBe(2);
  });

  it("take the verdict from the method, not from its score", () => {
    const contrary = answers.map(({ score }) => ({ score, anomalous: score === 0 }));
    const [all] = methodFigures(data, answersOf(distinct, contrary));
    expect(all?.metrics).toMatchObject({ precision: 0, recall: 0 });
    // The ranking stays: 2 of 2 before 3 false alarms, the third never.
    expect(all?.averagePrecision).toBe(views["all windows"]?.averagePrecision);
  });
});

describe("speed", () => {
  it("is of distinct windows", () => {
    expect(speedOf(data, resultOf(distinct, answers, 2))).toEqual({
      windows: 4,
      lines: 10,
      seconds: 2,
      windowsPerSecond: 2,
      linesPerSecond: 5,
      extrapolatedSeconds: null,
    });
  });

  it("of a sample is extrapolated by lines", () => {
    // 4 of 10 lines in 2 seconds: all in 5.
    const sample = resultOf([quiet], answers.slice(3), 2);
    expect(speedOf(data, sample)).toMatchObject({ extrapolatedSeconds: 5, windowsPerSecond: 4 / 5 });
  });

  it("does not exist where no time was seen to pass", () => {
    expect(speedOf(data, resultOf(distinct, answers, 0)).linesPerSecond).toBeNull();
  });
});

describe("agreement", () => {
  it("compares what both judged, and nothing else", () => {
    const slow = resultOf(
      [fault, known],
      [
        { score: 2.5, anomalous: true },
        { score: 0.75, anomalous: false },
      ],
      4,
    );
    expect(methodAgreement(data, slow, resultOf(distinct, answers, 2))).toEqual({
      windows: 2,
      sameVerdict: 1,
      largestDifference: 0.5,
      f1: 1,
      otherF1: 2 / 3,
      // 4 lines in 4 seconds, 10 in 2.
      speedUp: 5,
    });
  });
});
