import type { Evaluation } from "../evaluation.ts";
import { figure, score, short } from "./format.ts";
import { bar, chart, dot, line, linear, path, type Tick, text } from "./svg.ts";

const shares: Tick[] = [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, label: String(at) }));
const unit: [number, number] = [0, 1];

/** A point that exists: both of its figures do. */
function points(pairs: readonly { x: number | null; y: number | null }[]): [number, number][] {
  return pairs.flatMap(({ x, y }): [number, number][] => (x === null || y === null ? [] : [[x, y]]));
}

export function rocChart({ roc, views }: Evaluation): string {
  const [all] = views;
  const curve = points(roc.map(({ falsePositiveRate: x, truePositiveRate: y }) => ({ x, y })));
  const at = all === undefined ? undefined : rates(all.counts);
  return chart(
    {
      title: "ROC curve",
      description: `Area ${figure(all?.rocAuc)}.`,
      x: { domain: unit, ticks: shares, label: "false alarms among normal windows" },
      y: { domain: unit, ticks: shares, label: "found among anomalous windows" },
    },
    ({ x, y, right, bottom }) => [
      line(x(0), y(0), x(1), y(1), "reference"),
      path(
        [[0, 0] as [number, number], ...curve, [1, 1] as [number, number]].map(([a, b]) => [x(a), y(b)]),
        "curve one",
      ),
      text(right - 8, bottom - 12, `area ${figure(all?.rocAuc)}`, "note end"),
      ...(at === undefined ? [] : [dot(x(at.falseAlarms), y(at.found), "mark", "at the threshold in use")]),
    ],
  );
}

function rates(counts: {
  truePositives: number;
  falsePositives: number;
  trueNegatives: number;
  falseNegatives: number;
}) {
  const anomalous = counts.truePositives + counts.falseNegatives;
  const normal = counts.falsePositives + counts.trueNegatives;
  if (anomalous === 0 || normal === 0) return undefined;
  return { found: counts.truePositives / anomalous, falseAlarms: counts.falsePositives / normal };
}

export function precisionRecallChart({ precisionRecall, views }: Evaluation): string {
  const [all] = views;
  const curve = points(precisionRecall.map(({ recall: x, precision: y }) => ({ x, y })));
  const { precision, recall } = all?.metrics ?? { precision: null, recall: null };
  const base = all === undefined || all.windows === 0 ? 0 : all.anomalous / all.windows;
  return chart(
    {
      title: "Precision-recall curve",
      description: `Average precision ${figure(all?.averagePrecision)}.`,
      x: { domain: unit, ticks: shares, label: "recall" },
      y: { domain: unit, ticks: shares, label: "precision" },
    },
    ({ x, y, left, bottom }) => [
      line(x(0), y(base), x(1), y(base), "reference"),
      path(
        curve.map(([a, b]) => [x(a), y(b)]),
        "curve one",
      ),
      text(left + 8, bottom - 12, `average precision ${figure(all?.averagePrecision)}`, "note"),
      ...(precision === null || recall === null
        ? []
        : [dot(x(recall), y(precision), "mark", "at the threshold in use")]),
    ],
  );
}

/** Scores crowd at 0 and 1: the axis is their log odds. */
const scoreTicks = [1e-4, 0.01, 0.1, 0.5, 0.9, 0.99, 0.9999];
const widestLogit = Math.log(0.99999 / 0.00001);

function logit(value: number): number {
  const bounded = Math.min(Math.max(value, 1e-300), 1 - 1e-16);
  return Math.max(-widestLogit, Math.min(widestLogit, Math.log(bounded / (1 - bounded))));
}

export function thresholdChart({ thresholdCurve, threshold, views }: Evaluation): string {
  const series = [
    { name: "precision", className: "two" },
    { name: "recall", className: "three" },
    { name: "f1", className: "one" },
  ] as const;
  const best = views[0]?.bestF1;
  return chart(
    {
      title: "Threshold analysis",
      description: `Best F1 ${figure(best?.f1)}.`,
      x: {
        domain: [-widestLogit, widestLogit],
        ticks: scoreTicks.map((at) => ({ at: logit(at), label: String(at) })),
        label: "anomalous from this score on (log odds)",
      },
      y: { domain: unit, ticks: shares, label: "precision, recall, F1" },
    },
    ({ x, y, top, bottom }) => [
      line(x(logit(threshold)), top, x(logit(threshold)), bottom, "reference"),
      ...series.map(({ name, className }) => {
        const curve = points(thresholdCurve.map((row) => ({ x: logit(row.threshold), y: row[name] })));
        return path(
          curve.map(([a, b]) => [x(a), y(b)]),
          `curve ${className}`,
        );
      }),
      ...(best === null || best === undefined
        ? []
        : [
            dot(
              x(logit(best.threshold)),
              y(best.f1),
              "mark",
              `best F1 ${figure(best.f1)} at ${score(best.threshold)}`,
            ),
          ]),
    ],
  );
}

export function reliabilityChart({ calibration, views }: Evaluation): string {
  const error = figure(views[0]?.expectedCalibrationError);
  const filled = calibration.filter(({ weight }) => weight > 0);
  return chart(
    {
      title: "Calibration",
      description: `Expected calibration error ${error}.`,
      x: { domain: unit, ticks: shares, label: "score" },
      y: { domain: unit, ticks: shares, label: "share that is anomalous" },
    },
    ({ x, y, left, top, bottom }) => [
      ...filled.map(({ from, to, weight, anomalous, score: mean }) =>
        bar(
          x(from) + 1,
          x(to) - x(from) - 2,
          y(anomalous ?? 0),
          bottom,
          "bar one",
          `score ${figure(mean)}: ${figure(anomalous)} of ${short(weight)} windows are anomalous`,
        ),
      ),
      line(x(0), y(0), x(1), y(1), "reference"),
      ...filled.map(({ weight, anomalous, score: mean }) =>
        dot(
          x(mean ?? 0),
          y(anomalous ?? 0),
          "mark",
          `${short(weight)} windows of mean score ${figure(mean)}`,
        ),
      ),
      text(left + 8, top + 12, `expected calibration error ${error}`, "note"),
    ],
  );
}

/** How many windows have which score; logarithmic, since nearly all stand at the two ends. */
export function scoreChart({ scores, threshold }: Evaluation): string {
  const most = Math.max(10, ...scores.normal, ...scores.anomalous);
  const decades = Math.ceil(Math.log10(most));
  const height = (count: number) => (count === 0 ? 0 : Math.log10(count) + 1);
  return chart(
    {
      title: "Scores",
      description: "Normal and anomalous windows by score.",
      x: { domain: unit, ticks: shares, label: "score" },
      y: {
        domain: [0, decades + 1],
        ticks: Array.from({ length: decades + 1 }, (_, power) => ({
          at: power + 1,
          label: short(10 ** power),
        })),
        label: "windows (logarithmic)",
      },
    },
    ({ x, y, top, bottom }) => [
      ...(["normal", "anomalous"] as const).flatMap((label, side) =>
        scores[label].map((count, place) => {
          const stretch = linear([0, scores[label].length], [x(0), x(1)]);
          const width = (stretch(1) - stretch(0) - 4) / 2;
          const left = stretch(place) + 1 + side * (width + 2);
          return bar(
            left,
            width,
            y(height(count)),
            bottom,
            `bar ${side === 0 ? "three" : "two"}`,
            `${short(count)} ${label}`,
          );
        }),
      ),
      line(x(threshold), top, x(threshold), bottom, "reference"),
    ],
  );
}

/** F1 of each view of the data, and of each fold. */
export function viewChart({ views, crossValidation, intervals }: Evaluation): string {
  const rows = [
    ...views.map(({ name, metrics }, place) => ({
      name,
      values: metrics.f1 === null ? [] : [metrics.f1],
      range: place === 0 ? intervals.intervals.f1 : null,
    })),
    ...(crossValidation === null
      ? []
      : [
          {
            name: "threshold by cross-validation",
            values: crossValidation.folds.flatMap(({ f1 }) => f1 ?? []),
            range: crossValidation.f1,
          },
        ]),
  ];
  const shown = rows.flatMap(({ values, range }) => [...values, range?.low ?? 1]);
  // Where all figures are high, the axis begins at the tenth below the lowest.
  const from = Math.max(0, Math.floor(Math.min(0.9, ...shown) * 10) / 10);
  const rowHeight = 30;
  const [left, right] = [290, 900];
  const x = linear([from, 1], [left, right]);
  const ticks = Array.from({ length: 6 }, (_, place) => from + (place * (1 - from)) / 5);
  const height = rows.length * rowHeight + 34;
  return [
    `<svg viewBox="0 0 930 ${height}" role="img" aria-label="F1 by view of the data.">`,
    ...ticks.map((at) => line(x(at), 4, x(at), height - 28, "grid")),
    ...rows.flatMap(({ name, values, range }, place) => {
      const y = place * rowHeight + 20;
      return [
        text(left - 10, y + 4, name, "name end"),
        ...(range && range.low !== null && range.high !== null
          ? [line(x(range.low), y, x(range.high), y, "whisker")]
          : []),
        ...values.map((value) => dot(x(value), y, "mark", `${name}: F1 ${figure(value)}`)),
      ];
    }),
    ...ticks.map((at) => text(x(at), height - 12, at.toFixed(2), "tick middle")),
    "</svg>",
  ].join("\n");
}
