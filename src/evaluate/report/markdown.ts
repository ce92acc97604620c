import { visible } from "../../verdict/visible.ts";
import type { Evaluation } from "../evaluation.ts";
import type { Summary } from "../summary.ts";
import type { TemplateError } from "../template-errors.ts";
import { figure, interval, score, short } from "./format.ts";
import { notesOf } from "./notes.ts";
import {
  bestF1Meaning,
  chosenSentences,
  errorsMeaning,
  errorTable,
  linesInReport,
  seedTable,
  type Table,
  thresholdTable,
  viewTable,
} from "./tables.ts";

/** The figures of the page without its pictures. */
export function markdownReport(summary: Summary): string {
  const seeds =
    summary.seeds === null
      ? []
      : [`# ${summary.evaluations.length} bundles on the same windows`, tableMarkdown(seedTable(summary))];
  return `${[...seeds, ...summary.evaluations.flatMap(sections)].join("\n\n")}\n`;
}

function sections(evaluation: Evaluation): string[] {
  const { model, threshold, calibration, errors } = evaluation;
  return [
    `# ${model.name} ${model.version}`,
    `Anomalous from score ${score(threshold)} on.`,
    notesOf(evaluation)
      .map((note) => `- ${note}`)
      .join("\n"),
    tableMarkdown(mainTable(evaluation)),
    `95 % intervals by bootstrap over distinct windows, ${evaluation.intervals.resamples} resamples.`,
    "## Verdicts and labels",
    tableMarkdown(confusionTable(evaluation)),
    "## Views of the data",
    tableMarkdown(viewTable(evaluation)),
    bestF1Meaning,
    "## Thresholds",
    tableMarkdown(thresholdTable(evaluation)),
    ...chosenSentences(evaluation),
    "## Calibration",
    tableMarkdown({
      header: ["score from", "to", "windows", "mean score", "anomalous"],
      words: [],
      rows: calibration.map((bin) => [
        String(bin.from),
        String(bin.to),
        short(bin.weight),
        figure(bin.score),
        figure(bin.anomalous),
      ]),
    }),
    ...errorSection("Lines of false alarms", errors.falseAlarms),
    ...errorSection("Lines of misses", errors.misses),
  ];
}

function mainTable({ views, intervals }: Evaluation): Table {
  const [all] = views;
  const figures = { ...all?.metrics, rocAuc: all?.rocAuc, averagePrecision: all?.averagePrecision };
  return {
    header: ["all windows", "", "95 % interval"],
    words: [0, 2],
    rows: Object.entries(figures).map(([name, value]) => [
      name,
      figure(value),
      interval(intervals.intervals[name as keyof typeof intervals.intervals]),
    ]),
  };
}

function confusionTable({ views, data }: Evaluation): Table {
  const counts = views[0]?.counts;
  const perDay =
    data.days === null || counts === undefined ? "" : ` (${short(counts.falsePositives / data.days)} a day)`;
  return {
    header: ["", "judged anomalous", "judged normal"],
    words: [0],
    rows: [
      ["anomalous", short(counts?.truePositives ?? 0), short(counts?.falseNegatives ?? 0)],
      ["normal", `${short(counts?.falsePositives ?? 0)}${perDay}`, short(counts?.trueNegatives ?? 0)],
    ],
  };
}

function errorSection(title: string, found: readonly TemplateError[]): string[] {
  return found.length === 0
    ? []
    : [`## ${title}`, errorsMeaning, tableMarkdown(errorTable(found, linesInReport))];
}

export function tableMarkdown({ header, rows, words }: Table): string {
  const row = (cells: readonly string[]) => `| ${cells.map(cellMarkdown).join(" | ")} |`;
  const rule = `|${header.map((_, column) => (words.includes(column) ? " --- " : " ---: ")).join("|")}|`;
  return [row(header), rule, ...rows.map(row)].join("\n");
}

/** A log line must stay in its cell, and must not become markup. */
export function cellMarkdown(content: string): string {
  return visible(content).replace(/[\\|`*_<>[\]]/g, (character) => `\\${character}`);
}
