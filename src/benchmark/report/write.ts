import { card, legend, page, tableHtml } from "../../evaluate/report/html.ts";
import { cellMarkdown, tableMarkdown } from "../../evaluate/report/markdown.ts";
import { escaped } from "../../evaluate/report/svg.ts";
import { tableText } from "../../evaluate/report/text.ts";
import { writeReportFiles } from "../../evaluate/report/write.ts";
import type { BenchmarkReport, DataSetReport } from "../benchmark.ts";
import { qualityChart, speedChart, tradeOffChart, viewColours } from "./charts.ts";
import { benchmarkTable, notesOf, shownViews } from "./tables.ts";

/** For a terminal. */
export function benchmarkText(report: BenchmarkReport): string {
  return [tableText(benchmarkTable(report)), "", ...notesOf(report).map((note) => `  ${note}`)].join("\n");
}

/** Writes report.md, report.html and metrics.json. @throws LogGuardianError LG_REPORT_WRITE. */
export function writeBenchmark(folder: string, report: BenchmarkReport): Promise<void> {
  return writeReportFiles(folder, {
    "metrics.json": `${JSON.stringify(report, null, 2)}\n`,
    "report.md": markdown(report),
    "report.html": html(report),
  });
}

function markdown(report: BenchmarkReport): string {
  const notes = notesOf(report).map((note) => `- ${cellMarkdown(note)}`);
  return `${["# Benchmark", tableMarkdown(benchmarkTable(report)), notes.join("\n")].join("\n\n")}\n`;
}

function html(report: BenchmarkReport): string {
  const notes = notesOf(report).map((note) => `<li>${escaped(note)}</li>`);
  return page("Benchmark", [
    "<h1>Benchmark</h1>",
    `<p class="sub">Methods and data sets, quality and speed.</p>`,
    tableHtml(benchmarkTable(report)),
    `<ul>${notes.join("")}</ul>`,
    ...report.dataSets.map(section),
  ]);
}

function section(dataSet: DataSetReport): string {
  const views = shownViews.map(({ name }, place): [string, string] => [viewColours[place] ?? "one", name]);
  return [
    `<h2>${escaped(dataSet.name)}</h2>`,
    `<div class="stack">`,
    card("F1", qualityChart(dataSet), legend(views)),
    card("F1 and speed", tradeOffChart(dataSet)),
    card("Speed", speedChart(dataSet)),
    "</div>",
  ].join("\n");
}
