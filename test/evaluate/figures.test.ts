import { describe, expect, it } from "vitest";
import { calibrationOf } from "../../src/evaluate/calibration-error.ts";
import {
  averagePrecision,
  bestF1,
  curveOf,
  figuresAt,
  type Ranked,
  rocAuc,
  stepAt,
  thinned,
} from "../../src/evaluate/curves.ts";
import { bootstrap, meanOf } from "../../src/evaluate/intervals.ts";
import type { Item } from "../../src/evaluate/judged-windows.ts";
import { metricsOf } from "../../src/evaluate/metrics.ts";
import { resampledFigures } from "../../src/evaluate/resampled-figures.ts";
import { countsOf } from "../../src/evaluate/views.ts";
import { createRandom } from "../../src/simulate/random.ts";

// Expected values: scikit-learn 1.7.2 and SciPy, `uv run --no-project --with scikit-learn==1.7.2 python`, with
//   m = np.array([3, 2, 2, 1.5, .5, .5, -1, -2.]); y = np.array([1, 1, 0, 1, 0, 1, 0, 0]); w = np.array([2, 1, 3, 1, 4, 2, 5, 1])
//   roc_auc_score(y, m, sample_weight=w); average_precision_score(y, m, sample_weight=w)
//   precision_recall_fscore_support(y, m >= 1.5, average="binary", sample_weight=w)
//   s = 1 / (1 + np.exp(-m)); brier_score_loss(y, s, sample_weight=w)
//   bins of width .1: sum over b of |sum(w s) - sum(w y)| / sum(w)
const rows: [number, 0 | 1, number][] = [
  [3, 1, 2],
  [2, 1, 1],
  [2, 0, 3],
  [1.5, 1, 1],
  [0.5, 0, 4],
  [0.5, 1, 2],
  [-1, 0, 5],
  [-2, 0, 1],
];
const ranked: Ranked[] = rows.map(([rank, label, weight]) => ({ rank, label, weight }));
const curve = curveOf(ranked);

describe("curves", () => {
  it("agree with scikit-learn, with weights and ties", () => {
    expect(rocAuc(curve)).toBeCloseTo(0.8141025641025641, 10);
    expect(averagePrecision(curve)).toBeCloseTo(0.6657509157509158, 10);
    const { precision, recall, f1 } = figuresAt(stepAt(curve, 1.5), curve);
    expect([precision, recall, f1]).toEqual([4 / 7, 4 / 6, 8 / 13].map((value) => expect.closeTo(value, 10)));
    expect(bestF1(curve)?.f1).toBeCloseTo(12 / 19, 10);
    // Halfway between the ranks .5 and -1.
    expect(bestF1(curve)?.threshold).toBe(-0.25);
  });

  it("do not depend on the order of the windows", () => {
    const backwards = curveOf([...ranked].reverse());
    expect(rocAuc(backwards)).toBe(rocAuc(curve));
    expect(averagePrecision(backwards)).toBe(averagePrecision(curve));
  });

  it("never flag an undecided window, and do not exist without a label's windows", () => {
    const undecided = curveOf([...ranked, { rank: Number.NEGATIVE_INFINITY, label: 1, weight: 5 }]);
    expect(stepAt(undecided, -1e9).truePositives).toBe(6);
    expect(bestF1(undecided)?.threshold).toBeGreaterThan(-10);
    const normal = curveOf(ranked.filter(({ label }) => label === 0));
    expect([rocAuc(normal), averagePrecision(normal), bestF1(normal)]).toEqual([null, null, undefined]);
  });

  it("keep their ends when thinned", () => {
    const steps = thinned(curve.steps, 3);
    expect(steps).toHaveLength(3);
    expect([steps[0], steps[2]]).toEqual([curve.steps[0], curve.steps.at(-1)]);
  });
});

describe("metrics", () => {
  it("say which figures do not exist instead of 0", () => {
    const none = { truePositives: 0, falsePositives: 0, trueNegatives: 4, falseNegatives: 0, undecided: 0 };
    expect(metricsOf(none)).toEqual({ precision: null, recall: null, f1: null, accuracy: 1 });
    expect(metricsOf({ ...none, falseNegatives: 1 })).toEqual({
      precision: null,
      recall: 0,
      f1: 0,
      accuracy: 0.8,
    });
  });
});

describe("calibration", () => {
  const scored = rows.map(([margin, label, weight]) => ({
    score: 1 / (1 + Math.exp(-margin)),
    label,
    weight,
  }));

  it("gives expected calibration error and Brier score", () => {
    const { expectedCalibrationError, brierScore, bins } = calibrationOf(scored);
    expect(expectedCalibrationError).toBeCloseTo(0.296541081607554, 10);
    expect(brierScore).toBeCloseTo(0.24158686733823112, 10);
    expect(bins.map(({ weight }) => weight)).toEqual([0, 1, 5, 0, 0, 0, 6, 0, 5, 2]);
  });

  it("counts a score of 1 into the last bin", () => {
    expect(calibrationOf([{ score: 1, label: 1, weight: 1 }]).bins[9]?.weight).toBe(1);
  });
});

describe("intervals", () => {
  it("of a mean are Student's", () => {
    // scipy.stats.t.interval(.95, 2, loc=np.mean(v), scale=stats.sem(v)) of v = [.9, .92, .97]
    expect(meanOf([0.9, 0.92, 0.97])).toMatchObject({
      mean: expect.closeTo(0.93, 10),
      low: expect.closeTo(0.84043, 4),
      high: 1,
    });
    expect(meanOf([0.9])).toMatchObject({ mean: 0.9, low: null, high: null });
    expect(meanOf([])).toBeUndefined();
  });

  it("by bootstrap hold the share they are of, and repeat with their seed", () => {
    const hits = (drawn: Uint32Array) => ({
      share: drawn.subarray(0, 30).reduce((sum, n) => sum + n, 0) / 100,
    });
    const { intervals, resamples } = bootstrap(100, hits, 1);
    expect(resamples).toBe(1000);
    // The normal approximation of a share of .3 among 100: .3 ± 1.96 sqrt(.3 * .7 / 100) = .21 to .39.
    expect(intervals.share?.low).toBeCloseTo(0.21, 1);
    expect(intervals.share?.high).toBeCloseTo(0.39, 1);
    expect(bootstrap(100, hits, 1)).toEqual(bootstrap(100, hits, 1));
    expect(bootstrap(100, hits, 2)).not.toEqual(bootstrap(100, hits, 1));
  });

  it("are of the same figures as the report, resampled or not", () => {
    const random = createRandom(3);
    const items = Array.from({ length: 200 }, (): Item => {
      const margin = (random.below(40) - 20) / 4;
      const window = { key: "", masked: [], margin, score: 1 / (1 + Math.exp(-margin)), linesScored: 0 };
      return { window, label: random.below(40) / 4 - 5 < margin ? 1 : 0, weight: 1 + random.below(5) };
    }).sort((a, b) => (b.window.margin ?? 0) - (a.window.margin ?? 0));
    const drawn = Uint32Array.from(items, () => random.below(4));
    const weighted = items.map((item, place) => ({ ...item, weight: item.weight * (drawn[place] ?? 0) }));
    const direct = curveOf(
      weighted.map(({ window, label, weight }) => ({ rank: window.margin ?? 0, label, weight })),
    );
    const resampled = resampledFigures(items, 0.5)(drawn);
    expect(resampled).toEqual({
      ...metricsOf(countsOf(weighted, 0.5)),
      rocAuc: expect.closeTo(rocAuc(direct) ?? 0, 10),
      averagePrecision: expect.closeTo(averagePrecision(direct) ?? 0, 10),
    });
  });
});
