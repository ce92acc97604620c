import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AskedWindow } from "../../src/classify/judge.ts";
import { createLiveSequences } from "../../src/classify/live-sequences.ts";
import { type GoldenWindow, readGolden } from "../../src/model/golden.ts";
import { type OpenModel, openModel } from "../../src/pipeline/open-model.ts";
import { createRandom } from "../../src/simulate/random.ts";
import { starterBundle } from "../support/data.ts";

const liveWindows = 3;
let model: OpenModel;
let golden: GoldenWindow[];
let vectors: Float32Array[];

beforeAll(async () => {
  const inference = { liveWindows, batchSize: 4, verdictCacheBytes: 0 };
  model = await openModel({ bundleDir: starterBundle, inference });
  golden = (await readGolden(model.bundle)).filter(({ lines }) => lines.length > 2);
  vectors = await Promise.all(golden.map(({ lines }) => joined(lines)));
});
afterAll(() => model.close());

async function joined(lines: string[]): Promise<Float32Array> {
  const embedded = await model.embedder.embed(lines);
  const window = new Float32Array(lines.length * model.embedder.width);
  for (const [place, vector] of embedded.entries()) window.set(vector, place * model.embedder.width);
  return window;
}

const first = (window: Float32Array, lines: number) => window.slice(0, lines * model.scorer.width);
const linesOf = (window: Float32Array | undefined) => (window?.length ?? 0) / model.scorer.width;

describe("windows that go on", () => {
  it("have the same bits as computed anew, however far they go on, together or not", async () => {
    const random = createRandom(3);
    const at = vectors.slice(0, 6).map(() => 0);
    for (let step = 0; step < 60; step++) {
      // More windows than can be kept, and now and then one twice.
      const chosen = Array.from({ length: 1 + random.below(5) }, () => random.below(at.length));
      const windows = chosen.map((place) => {
        const whole = vectors[place] ?? new Float32Array(0);
        at[place] = Math.min(linesOf(whole), (at[place] ?? 0) + 1 + random.below(7));
        return first(whole, at[place]);
      });
      const live = chosen.map((place) => ({
        id: `w${place}`,
        isLast: at[place] === linesOf(vectors[place]),
      }));
      const found = await model.scorer.score(windows, live);
      expect(found).toEqual(await model.scorer.score(windows));
      for (const [index, place] of chosen.entries()) if (live[index]?.isLast) at[place] = 0;
    }
  });

  it("are computed anew where a line before has changed", async () => {
    const [one = new Float32Array(0), other = new Float32Array(0)] = vectors.filter((v) => linesOf(v) > 4);
    await model.scorer.score([first(one, 3)], [{ id: "w", isLast: false }]);
    const changed = first(one, 4);
    changed.set(first(other, 1));
    const [found] = await model.scorer.score([changed], [{ id: "w", isLast: true }]);
    expect([found]).toEqual(await model.scorer.score([changed]));
  });
});

it("sequences are kept for the windows used last, and found only by their lines", () => {
  const kept = createLiveSequences({ width: 2, sequences: [4, 5] });
  const window = (...values: number[]) => Float32Array.from(values);
  const a = kept.keep("a", window(1, 1));
  const b = kept.keep("b", window(2, 2));
  expect(new Set([a, b])).toEqual(new Set([4, 5]));
  expect(kept.find("a", window(1, 1, 3, 3))).toMatchObject({ sequence: a, lines: 1 });
  expect(kept.keep("c", window(3, 3))).toBe(b);
  expect(kept.find("b", window(2, 2))).toBeUndefined();
  expect(kept.keep("a", window(1, 1, 3, 3))).toBe(a);
  expect(kept.find("a", window(1, 1))).toBeUndefined();
  expect(kept.find("a", window(1, 1, 9, 9))).toBeUndefined();
  kept.drop("a");
  expect(kept.keep("d", window(4, 4))).toBe(a);
});

describe("an open window", () => {
  it("is anomalous only where it was so at the revision before, too, and has weights only then", async () => {
    const { length: anomalous } = golden.filter(({ margin }) => margin > 0);
    expect(anomalous).toBeGreaterThan(0);
    let [raised, held] = [0, 0];
    for (const { lines } of golden.filter(({ margin }) => margin > 0).slice(0, 12)) {
      const prefixes = lines.map((_, place) => lines.slice(0, place + 1));
      const alone = await model.judge.judge(prefixes.map((masked) => ({ masked })));
      const asked = prefixes.map((masked, place): AskedWindow => ({ masked, id: "w", linesBefore: place }));
      for (const [place, window] of asked.entries()) {
        const [found] = await model.judge.judge([window]);
        const isStaying = place > 0 && [place - 1, place].every((at) => alone[at]?.verdict === "anomalous");
        expect(found?.verdict).toBe(isStaying ? "anomalous" : "normal");
        expect(found?.margin).toBe(alone[place]?.margin);
        expect(found?.weights !== undefined).toBe(isStaying);
        if (isStaying) raised++;
        else if (alone[place]?.verdict === "anomalous") held++;
      }
    }
    expect(Math.min(raised, held)).toBeGreaterThan(0);
  });
});
