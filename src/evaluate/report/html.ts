import { visible } from "../../verdict/visible.ts";
import type { Evaluation } from "../evaluation.ts";
import type { Summary } from "../summary.ts";
import type { TemplateError } from "../template-errors.ts";
import {
  precisionRecallChart,
  reliabilityChart,
  rocChart,
  scoreChart,
  thresholdChart,
  viewChart,
} from "./charts.ts";
import { figure, interval, score, short } from "./format.ts";
import { notesOf } from "./notes.ts";
import { style } from "./style.ts";
import { escaped } from "./svg.ts";
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

/** One file with everything in it: pictures, style, no script. */
export function htmlReport(summary: Summary): string {
  const [first] = summary.evaluations;
  return page(`Evaluation of ${first?.model.name ?? ""} on ${first?.data.path ?? ""}`, [
    summary.seeds === null ? "" : seedSection(summary),
    ...summary.evaluations.map(evaluationSection),
  ]);
}

/** A page that loads nothing. */
export function page(title: string, sections: readonly string[]): string {
  return [
    "<!doctype html>",
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<title>${escaped(title)}</title><style>${style}</style></head><body>`,
    ...sections,
    "</body></html>",
    "",
  ].join("\n");
}

function seedSection(summary: Summary): string {
  return `<h1>${summary.evaluations.length} bundles on the same windows</h1>
<p class="sub">Means with Student's t-intervals.</p>${tableHtml(seedTable(summary))}`;
}

function evaluationSection(evaluation: Evaluation): string {
  const { model, threshold, errors } = evaluation;
  return [
    `<h1>${escaped(`${model.name} ${model.version}`)}</h1>`,
    `<p class="sub">${escaped(evaluation.data.path)}, anomalous from score ${score(threshold)} on</p>`,
    tiles(evaluation),
    `<ul>${notesOf(evaluation)
      .map((note) => `<li>${escaped(note)}</li>`)
      .join("")}</ul>`,
    "<h2>Verdicts and labels</h2>",
    `<div class="cards">${card("Confusion matrix", confusion(evaluation))}${card("Scores", scoreChart(evaluation), scoreLegend)}</div>`,
    `<h2>Views of the data</h2>${tableHtml(viewTable(evaluation))}<p class="sub">${bestF1Meaning}</p>${card("F1", viewChart(evaluation))}`,
    "<h2>Curves</h2>",
    `<div class="cards">`,
    card("ROC", rocChart(evaluation)),
    card("Precision and recall", precisionRecallChart(evaluation)),
    card(
      "Threshold",
      thresholdChart(evaluation),
      legend([
        ["one", "F1"],
        ["two", "precision"],
        ["three", "recall"],
      ]),
    ),
    card("Calibration", reliabilityChart(evaluation)),
    "</div>",
    `<h2>Thresholds</h2>${tableHtml(thresholdTable(evaluation))}`,
    ...chosenSentences(evaluation).map((sentence) => `<p>${escaped(sentence)}</p>`),
    errorSection("Lines of false alarms", errors.falseAlarms),
    errorSection("Lines of misses", errors.misses),
  ].join("\n");
}

function tiles({ views, intervals }: Evaluation): string {
  const [all] = views;
  if (all === undefined) return "";
  const figures = [
    ["F1", all.metrics.f1, intervals.intervals.f1],
    ["precision", all.metrics.precision, intervals.intervals.precision],
    ["recall", all.metrics.recall, intervals.intervals.recall],
    ["average precision", all.averagePrecision, intervals.intervals.averagePrecision],
    ["area under ROC", all.rocAuc, intervals.intervals.rocAuc],
    ["calibration error", all.expectedCalibrationError, null],
  ] as const;
  const tile = ([name, value, range]: (typeof figures)[number]) =>
    `<div class="tile"><span>${name}</span><b>${figure(value)}</b><span>${interval(range) || "&nbsp;"}</span></div>`;
  return `<div class="tiles">${figures.map(tile).join("")}</div>
<p class="sub">95 % intervals by bootstrap over distinct windows, ${intervals.resamples} resamples.</p>`;
}

const scoreLegend = legend([
  ["three", "normal"],
  ["two", "anomalous"],
]);

export function card(title: string, content: string, head = ""): string {
  return `<section class="card"><h3>${escaped(title)}</h3>${head}${content}</section>`;
}

export function legend(entries: readonly [string, string][]): string {
  const entry = ([colour, name]: [string, string]) => `<span><i class="fill-${colour}"></i>${name}</span>`;
  return `<div class="legend">${entries.map(entry).join("")}</div>`;
}

function confusion({ views, data }: Evaluation): string {
  const counts = views[0]?.counts;
  if (counts === undefined) return "";
  const cell = (value: number, row: number, what: string) => {
    const share = row === 0 ? 0 : value / row;
    return `<td style="background: rgb(var(--wash) / ${Math.round(8 + 42 * share)}%)"><b>${short(value)}</b>${what}</td>`;
  };
  const anomalous = counts.truePositives + counts.falseNegatives;
  const normal = counts.falsePositives + counts.trueNegatives;
  const perDay = data.days === null ? "" : `, ${short(counts.falsePositives / data.days)} a day`;
  return `<table class="confusion"><tr><th></th><th>judged anomalous</th><th>judged normal</th></tr>
<tr><th>anomalous</th>${cell(counts.truePositives, anomalous, "found")}${cell(counts.falseNegatives, anomalous, "missed")}</tr>
<tr><th>normal</th>${cell(counts.falsePositives, normal, `false alarms${perDay}`)}${cell(counts.trueNegatives, normal, "rightly normal")}</tr></table>`;
}

function errorSection(title: string, found: readonly TemplateError[]): string {
  if (found.length === 0) return "";
  return `<h2>${title}</h2><p class="sub">${errorsMeaning}</p>${tableHtml(errorTable(found, linesInReport))}`;
}

export function tableHtml({ header, rows, words, now }: Table): string {
  const cell = (content: string, column: number, tag: string) =>
    `<${tag}${words.includes(column) ? "" : ' class="number"'}>${escaped(visible(content))}</${tag}>`;
  const head = `<tr>${header.map((content, column) => cell(content, column, "th")).join("")}</tr>`;
  const body = rows.map((row, place) => {
    const cells = row.map((content, column) => cell(content, column, "td")).join("");
    return `<tr${place === now ? ' class="now"' : ""}>${cells}</tr>`;
  });
  return `<div class="scroll"><table>${head}${body.join("\n")}</table></div>`;
}
