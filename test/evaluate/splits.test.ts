import { describe, expect, it } from "vitest";
import { chooseThreshold, crossValidate } from "../../src/evaluate/cross-validation.ts";
import { collect, type Item, itemsOf, type Occurrence } from "../../src/evaluate/judged-windows.ts";
import { foldsOf, split } from "../../src/evaluate/splits.ts";
import { countsOf, knownOf, viewsOf } from "../../src/evaluate/views.ts";

const scoreOfRank = (margin: number) => 1 / (1 + Math.exp(-margin));

function item(name: string, label: 0 | 1, margin: number | null, weight = 1): Item {
  const score = margin === null ? null : scoreOfRank(margin);
  return { window: { key: name, masked: name.split(" "), margin, score, linesScored: 1 }, label, weight };
}

async function occurrences(
  rows: { label: 0 | 1; masked: string[]; start?: number; group?: string; firstLine?: number }[],
): Promise<Occurrence[]> {
  async function* windows() {
    for (const row of rows) yield { count: 1, ...row };
  }
  return collect(windows(), "bundle", () => undefined);
}

describe("distinct windows", () => {
  it("are one object, and one item per label", async () => {
    const all = await occurrences([
      { label: 0, masked: ["a", "b"] },
      { label: 1, masked: ["a", "b"] },
      { label: 0, masked: ["a", "b"] },
      { label: 0, masked: ["a b"] },
    ]);
    expect(new Set(all.map(({ window }) => window)).size).toBe(2);
    expect(itemsOf(all).map(({ label, weight }) => [label, weight])).toEqual([
      [0, 2],
      [1, 1],
      [0, 1],
    ]);
  });

  it("of a group are one item: the highest margin stands for it", async () => {
    const all = await occurrences(
      ["a", "b", "c"].map((line) => ({ label: 1, masked: [line], group: "job" })),
    );
    for (const [place, { window }] of all.entries()) window.margin = [1, 5, null][place] ?? null;
    expect(itemsOf(all).map(({ window, weight }) => [window.masked[0], weight])).toEqual([["b", 1]]);
  });
});

describe("views", () => {
  it("tell apart what training has not seen", async () => {
    const known = knownOf(await occurrences([{ label: 0, masked: ["a", "b"] }]));
    const [seen] = await occurrences([{ label: 0, masked: ["a", "b"] }]);
    const items = [
      { ...item("a b", 0, 0, 4), window: { ...item("a b", 0, 0).window, key: seen?.window.key ?? "" } },
      item("b a", 1, 0, 3),
      item("a c", 1, 0, 2),
    ];
    const found = viewsOf(items, known).map(({ items: some }) =>
      some.map(({ window, weight }) => `${weight} ${window.masked.join(" ")}`),
    );
    expect(found).toEqual([
      ["4 a b", "3 b a", "2 a c"],
      ["1 a b", "1 b a", "1 a c"],
      ["1 b a", "1 a c"],
      ["2 a c"],
      ["1 a c"],
      ["4 a b", "3 b a"],
    ]);
  });

  it("count an undecided window as not flagged", () => {
    expect(countsOf([item("a", 1, null, 2), item("b", 0, null)], 0)).toEqual({
      truePositives: 0,
      falsePositives: 0,
      trueNegatives: 1,
      falseNegatives: 2,
      undecided: 3,
    });
  });
});

describe("splits", () => {
  it("chronological tests the last share in time, whatever the order of the file", async () => {
    const all = await occurrences(
      [5, 1, 4, 2, 3].map((start) => ({ label: 0, masked: [String(start)], start })),
    );
    const { rest, tested } = split(all, { kind: "chronological", testShare: 0.4, seed: 1 });
    expect(tested.map(({ start }) => start)).toEqual([4, 5]);
    expect(rest.map(({ start }) => start)).toEqual([1, 2, 3]);
  });

  it("chronological leaves a window without a time where the file has it", async () => {
    const starts = [undefined, 1, 2, undefined, 3, undefined];
    const all = await occurrences(
      starts.map((start, place) => ({
        label: 0,
        masked: [String(place)],
        ...(start === undefined ? {} : { start }),
      })),
    );
    const { rest, tested } = split(all, { kind: "chronological", testShare: 0.5, seed: 1 });
    expect(rest.map(({ window }) => window.key)).toEqual(all.slice(0, 3).map(({ window }) => window.key));
    expect(tested.map(({ window }) => window.key)).toEqual(all.slice(3).map(({ window }) => window.key));
  });

  it("chronological leaves out what shares lines with a tested window, before it and after it; random does not", async () => {
    // Windows of four lines, every two; the log goes back in time once, so that the first window is tested.
    const starts = [9, 1, 2, 3, 4, 5, 6, 7, 8];
    const all = await occurrences(
      starts.map((start, place) => ({
        label: 0,
        masked: ["a", "b", "c", String(place)],
        start,
        firstLine: 2 * place,
      })),
    );
    const { rest, tested } = split(all, { kind: "chronological", testShare: 1 / 3, seed: 1 });
    expect(tested.map(({ start }) => start)).toEqual([7, 8, 9]);
    expect(rest.map(({ start }) => start)).toEqual([2, 3, 4, 5]);
    const random = split(all, { kind: "random", testShare: 1 / 3, seed: 1 });
    expect([random.rest.length, random.tested.length]).toEqual([6, 3]);
  });

  it("random repeats with its seed and keeps groups whole", async () => {
    const rows = Array.from({ length: 40 }, (_, place) => ({
      label: 0 as const,
      masked: [String(place)],
      group: `job ${place % 10}`,
    }));
    const all = await occurrences(rows);
    const tested = (seed: number) => split(all, { kind: "random", testShare: 0.3, seed }).tested;
    expect(tested(1)).toEqual(tested(1));
    expect(tested(1)).not.toEqual(tested(2));
    expect(tested(1)).toHaveLength(12);
    expect(new Set(tested(1).map(({ group }) => group)).size).toBe(3);
  });
});

describe("cross-validation", () => {
  const items = [
    ...Array.from({ length: 20 }, (_, place) => item(`n${place}`, 0, place / 10)),
    ...Array.from({ length: 10 }, (_, place) => item(`a${place}`, 1, 1.55 + place / 10)),
  ];

  it("spreads the anomalies evenly and tests every window once", () => {
    const folds = foldsOf(items, 5, 1);
    expect(folds.map((fold) => fold.filter(({ label }) => label === 1).length)).toEqual([2, 2, 2, 2, 2]);
    expect(new Set(folds.flat().map(({ window }) => window.key)).size).toBe(30);
  });

  it("chooses on the other folds alone", () => {
    const { folds, f1 } = crossValidate(items, 5, 1, scoreOfRank);
    const parts = foldsOf(items, 5, 1);
    for (const [place, fold] of folds.entries()) {
      const rest = parts.filter((_, other) => other !== place).flat();
      expect(fold).toEqual(chooseThreshold(rest, parts[place] ?? [], scoreOfRank));
    }
    expect(f1?.values).toEqual(folds.map((fold) => fold.f1));
  });

  it("is right on windows that a threshold can tell apart", () => {
    const apart = items.map(({ window, label, weight }) =>
      item(window.key, label, (window.margin ?? 0) + 4 * label, weight),
    );
    expect(crossValidate(apart, 5, 1, scoreOfRank).f1?.values).toEqual([1, 1, 1, 1, 1]);
  });
});
