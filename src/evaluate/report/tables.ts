import type { Evaluation } from "../evaluation.ts";
import { figureOf, type Summary, seedFigures } from "../summary.ts";
import type { TemplateError } from "../template-errors.ts";
import { figure, interval, score, short } from "./format.ts";

/** What every form of the report shows in rows and columns. */
export interface Table {
  header: string[];
  rows: string[][];
  /** The columns that hold words; the others hold figures. */
  words: number[];
  /** The row that is in use. */
  now?: number;
}

export function viewTable({ views }: Evaluation): Table {
  return {
    header: [
      "",
      "windows",
      "anomalous",
      "precision",
      "recall",
      "F1",
      "AP",
      "ROC",
      "best F1",
      "at score",
      "ECE",
    ],
    words: [0],
    rows: views.map((view) => [
      view.name,
      short(view.windows),
      short(view.anomalous),
      figure(view.metrics.precision),
      figure(view.metrics.recall),
      figure(view.metrics.f1),
      figure(view.averagePrecision),
      figure(view.rocAuc),
      figure(view.bestF1?.f1),
      view.bestF1 === null ? "–" : score(view.bestF1.threshold),
      figure(view.expectedCalibrationError),
    ]),
  };
}

export function thresholdTable({ thresholds, threshold }: Evaluation): Table {
  return {
    header: ["anomalous from score", "precision", "recall", "F1", "false alarms", "a day"],
    words: [],
    rows: thresholds.map((row) => [
      score(row.threshold),
      figure(row.precision),
      figure(row.recall),
      figure(row.f1),
      short(row.falseAlarms),
      short(row.falseAlarmsPerDay),
    ]),
    now: thresholds.findIndex((row) => row.threshold === threshold),
  };
}

/** Of wrongly judged windows, in a file; on a terminal there are fewer. */
export const linesInReport = 25;

/** The last column is the line. */
export function errorTable(errors: readonly TemplateError[], most: number): Table {
  const hasAlerts = errors.some(({ alerts }) => alerts !== null);
  const header = [
    "windows",
    "elsewhere",
    "heaviest in",
    "weight",
    ...(hasAlerts ? ["alert in"] : []),
    "line",
  ];
  return {
    header,
    words: [header.length - 1],
    rows: errors
      .slice(0, most)
      .map(({ wrong, right, heaviest, weight, alerts, line }) => [
        short(wrong),
        short(right),
        short(heaviest),
        weight === null ? "–" : weight.toFixed(1),
        ...(hasAlerts ? [short(alerts)] : []),
        line,
      ]),
  };
}

export function seedTable({ seeds, evaluations }: Summary): Table {
  return {
    header: ["", "", "mean", "95 % interval", ...evaluations.map((_, place) => `bundle ${place + 1}`)],
    words: [0, 1, 3],
    rows: (seeds ?? []).flatMap(({ name, figures }) =>
      seedFigures.map((figureName) => [
        name,
        figureName,
        figure(figures[figureName]?.mean),
        interval(figures[figureName]),
        ...evaluations.map(({ views }) => {
          const view = views.find((some) => some.name === name);
          return view === undefined ? "–" : figure(figureOf(view, figureName));
        }),
      ]),
    ),
  };
}

/** What a threshold chosen on other windows than the tested gives. */
export function chosenSentences({ crossValidation, chosenOnRest }: Evaluation): string[] {
  return [
    crossValidation === null
      ? "No cross-validation of the threshold: too few distinct windows of a label, or --folds 0."
      : `Threshold chosen on ${crossValidation.folds.length - 1} folds, tested on the one left: F1 ${figure(crossValidation.f1?.mean)} (${interval(crossValidation.f1)}), thresholds ${crossValidation.folds.map((fold) => score(fold.threshold)).join(", ")}.`,
    chosenOnRest === null
      ? ""
      : `Threshold ${score(chosenOnRest.threshold)} chosen on the windows that are not tested: F1 ${figure(chosenOnRest.f1)}, precision ${figure(chosenOnRest.precision)}, recall ${figure(chosenOnRest.recall)}.`,
  ].filter((sentence) => sentence !== "");
}

export const errorsMeaning =
  "Wrongly judged windows that hold the line, rightly judged ones of the same label, wrongly judged ones in which it weighs most, and how much it raises the margin there on average.";
export const bestF1Meaning = "Best F1 is chosen on the very windows of its row: an upper bound.";
