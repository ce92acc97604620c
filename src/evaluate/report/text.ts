import { visible } from "../../verdict/visible.ts";
import type { Evaluation } from "../evaluation.ts";
import { figureOf, type Summary, seedFigures } from "../summary.ts";
import type { TemplateError } from "../template-errors.ts";
import { figure, interval, score, short } from "./format.ts";
import { notesOf } from "./notes.ts";

const linesShown = 5;
const lineWidth = 90;

/** For a terminal. */
export function textReport(summary: Summary): string {
  const parts = summary.evaluations.map(evaluationText);
  if (summary.seeds !== null) parts.push(seedText(summary));
  return parts.join("\n\n");
}

function evaluationText(evaluation: Evaluation): string {
  const { model, threshold, views, intervals, crossValidation, chosenOnRest, errors, data } = evaluation;
  const [all] = views;
  if (all === undefined) return "";
  const { truePositives, falsePositives, trueNegatives, falseNegatives } = all.counts;
  const perDay = data.days === null ? "" : ` (${short(falsePositives / data.days)} a day)`;
  const rows = Object.entries({ ...all.metrics, rocAuc: all.rocAuc, averagePrecision: all.averagePrecision });
  return [
    `${model.name} ${model.version}, anomalous from score ${score(threshold)} on`,
    ...notesOf(evaluation).map((note) => `  ${note}`),
    "",
    ...rows.map(([name, value]) => {
      const range = interval(intervals.intervals[name as keyof typeof intervals.intervals]);
      return `  ${name.padEnd(17)} ${figure(value)}${range === "" ? "" : `   ${range}`}`;
    }),
    `  95 % intervals by bootstrap over distinct windows, ${intervals.resamples} resamples`,
    "",
    `  found ${truePositives}, missed ${falseNegatives}, false alarms ${falsePositives}${perDay}, rightly normal ${trueNegatives}`,
    "",
    table(
      ["", "windows", "anomalous", "precision", "recall", "F1", "AP", "best F1", "at score", "ECE"],
      views.map((view) => [
        view.name,
        short(view.windows),
        short(view.anomalous),
        figure(view.metrics.precision),
        figure(view.metrics.recall),
        figure(view.metrics.f1),
        figure(view.averagePrecision),
        figure(view.bestF1?.f1),
        view.bestF1 === null ? "–" : score(view.bestF1.threshold),
        figure(view.expectedCalibrationError),
      ]),
    ),
    "",
    crossValidation === null
      ? "  threshold by cross-validation: not done (too few distinct windows of a label, or --folds 0)"
      : `  threshold chosen on ${crossValidation.folds.length - 1} folds, tested on the one left: F1 ${figure(crossValidation.f1?.mean)}, ${interval(crossValidation.f1)}`,
    chosenOnRest === null
      ? ""
      : `  threshold ${score(chosenOnRest.threshold)} chosen on the rest: F1 ${figure(chosenOnRest.f1)}, precision ${figure(chosenOnRest.precision)}, recall ${figure(chosenOnRest.recall)}`,
    errorText("false alarms", errors.falseAlarms),
    errorText("misses", errors.misses),
  ]
    .filter((line, place, lines) => line !== "" || lines[place - 1] !== "")
    .join("\n")
    .trimEnd();
}

function errorText(what: string, found: readonly TemplateError[]): string {
  if (found.length === 0) return "";
  const rows = found
    .slice(0, linesShown)
    .map((error) => [
      short(error.wrong),
      short(error.right),
      error.weight === null ? "–" : error.weight.toFixed(1),
      visible(error.line).slice(0, lineWidth),
    ]);
  return `\n  lines of ${what}\n${table(["windows", "elsewhere", "weight", "line"], rows)}`;
}

function seedText({ seeds, evaluations }: Summary): string {
  const rows = (seeds ?? []).flatMap(({ name, figures }) =>
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
  );
  const header = ["", "", "mean", "95 % interval", ...evaluations.map((_, place) => `bundle ${place + 1}`)];
  return `Mean over ${evaluations.length} bundles (Student's t)\n${table(header, rows)}`;
}

/** Columns padded to their widest cell; numbers to the right. */
function table(header: string[], rows: string[][]): string {
  const widths = header.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const isNumber = header.map((_, column) => rows.every((row) => /^[-–\d.,e ]*$/.test(row[column] ?? "")));
  const line = (row: string[]) =>
    `  ${row.map((cell, column) => (isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join("  ")}`.trimEnd();
  return [header, ...rows].map(line).join("\n");
}
