import { visible } from "../../verdict/visible.ts";
import type { Evaluation } from "../evaluation.ts";
import type { Summary } from "../summary.ts";
import type { TemplateError } from "../template-errors.ts";
import { figure, interval, score, short } from "./format.ts";
import { notesOf } from "./notes.ts";
import { bestF1Meaning, chosenSentences, errorTable, seedTable, type Table, viewTable } from "./tables.ts";

const linesShown = 5;
/** A log line longer than this would wrap. */
const cellWidth = 90;

/** For a terminal. */
export function textReport(summary: Summary): string {
  const parts = summary.evaluations.map(evaluationText);
  if (summary.seeds !== null) parts.push(seedText(summary));
  return parts.join("\n\n");
}

function evaluationText(evaluation: Evaluation): string {
  const { model, threshold, views, intervals, errors, data } = evaluation;
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
    tableText(viewTable(evaluation)),
    `  ${bestF1Meaning}`,
    "",
    ...chosenSentences(evaluation).map((sentence) => `  ${sentence}`),
    errorText("false alarms", errors.falseAlarms),
    errorText("misses", errors.misses),
  ]
    .filter((line, place, lines) => line !== "" || lines[place - 1] !== "")
    .join("\n")
    .trimEnd();
}

function errorText(what: string, found: readonly TemplateError[]): string {
  if (found.length === 0) return "";
  return `\n  Lines of ${what}\n${tableText(errorTable(found, linesShown))}`;
}

function seedText(summary: Summary): string {
  return `Mean over ${summary.evaluations.length} bundles (Student's t)\n${tableText(seedTable(summary))}`;
}

/** Columns padded to their widest cell; figures to the right. */
export function tableText({ header, rows, words }: Table): string {
  const lines = [header, ...rows].map((row) => row.map((cell) => visible(cell).slice(0, cellWidth)));
  const widths = header.map((_, column) => Math.max(...lines.map((row) => row[column]?.length ?? 0)));
  const cell = (content: string, column: number) =>
    words.includes(column) ? content.padEnd(widths[column] ?? 0) : content.padStart(widths[column] ?? 0);
  return lines.map((row) => `  ${row.map(cell).join("  ")}`.trimEnd()).join("\n");
}
