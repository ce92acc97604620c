import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BenchmarkReport, MethodReport } from "../../src/benchmark/benchmark.ts";
import type { MethodFigures } from "../../src/benchmark/figures.ts";
import { benchmarkTable, notesOf } from "../../src/benchmark/report/tables.ts";
import { benchmarkText, writeBenchmark } from "../../src/benchmark/report/write.ts";
import { metricsOf } from "../../src/evaluate/metrics.ts";

function view(name: string, truePositives: number): MethodFigures {
  const counts = { truePositives, falsePositives: 1, trueNegatives: 4, falseNegatives: 0, undecided: 0 };
  return {
    name,
    windows: truePositives + 5,
    anomalous: truePositives,
    counts,
    metrics: metricsOf(counts),
    rocAuc: 0.9,
    averagePrecision: 0.75,
    bestF1: null,
  };
}

function method(name: string, rest: Partial<MethodReport>): MethodReport {
  return {
    id: name,
    name,
    views: [view("all windows", 3), view("distinct windows", 1)],
    trainSeconds: 1.25,
    speed: {
      ...{ windows: 8, lines: 80, seconds: 2 },
      ...{ windowsPerSecond: 4, linesPerSecond: 40, extrapolatedSeconds: null },
    },
    agreement: null,
    notes: [],
    load: 1,
    ...rest,
  };
}

const report: BenchmarkReport = {
  ...{ processor: "a processor", processors: 2, load: 1.4, threads: 1, seed: 1 },
  dataSets: [
    {
      name: "logs",
      train: { windows: 9, distinct: 5, anomalous: 2 },
      test: { windows: 8, distinct: 8, anomalous: 3, lines: 80 },
      methods: [
        method("<tree>", {}),
        method("sampled", {
          views: null,
          trainSeconds: null,
          speed: {
            ...{ windows: 2, lines: 20, seconds: 4 },
            ...{ windowsPerSecond: 0.5, linesPerSecond: 5, extrapolatedSeconds: 16 },
          },
          agreement: {
            ...{ windows: 2, sameVerdict: 1, largestDifference: 0.0125 },
            ...{ f1: 1, otherF1: 0.5, speedUp: 8 },
          },
        }),
      ],
      leftOut: [{ id: "mine", name: "mine", reason: "It was tired." }],
    },
  ],
};

describe("a benchmark's report", () => {
  it("has a row for each method; what does not exist is a dash, what is extrapolated is marked", () => {
    const { header, rows } = benchmarkTable(report);
    expect(rows.map((row) => row.length)).toEqual([header.length, header.length]);
    const [tree, sampled] = rows.map((row) =>
      Object.fromEntries(row.map((cell, place) => [header[place], cell])),
    );
    expect(tree).toMatchObject({ precision: "0.7500", recall: "1.0000", "F1 distinct": "0.6667" });
    expect(tree).toMatchObject({ "F1 never seen": "–", "train s": "1.3", "lines/s": "40" });
    expect(sampled).toMatchObject({ F1: "–", AP: "–", "train s": "–", "lines/s": "~5" });
  });

  it("says how the reference stands to the bundle, and what is left out", () => {
    const notes = notesOf(report).join("\n");
    expect(notes).toContain("extrapolated by lines (~): 16 s for all");
    expect(notes).toContain("1 of 2 windows the same verdict; margins differ by 1.3e-2 at most");
    expect(notes).toContain("8 times as many lines a second by the bundle");
    expect(notes).toContain("mine is left out. It was tired.");
  });

  it("says where other work took the processors from the methods", () => {
    expect(benchmarkText(report)).not.toContain("busy");
    expect(benchmarkText({ ...report, load: 3.8 })).toContain("busy: 3.8 processes for its 2 processors");
    expect(benchmarkText({ ...report, load: 3.8, threads: 4 })).not.toContain("busy");
  });

  it("is a page whose names are text, and Markdown", async () => {
    const folder = mkdtempSync(join(tmpdir(), "logguardian-benchmark-report-"));
    await writeBenchmark(folder, report);
    const html = readFileSync(join(folder, "report.html"), "utf8");
    expect(html).toContain("&#60;tree&#62;, all windows: F1 0.8571");
    expect(html).not.toContain("<tree>");
    // Two views of the one method that has any.
    expect(html.match(/: F1 0\.\d+<\/title>/g)).toHaveLength(2);
    expect(readFileSync(join(folder, "report.md"), "utf8")).toMatch(
      /\| sampled +\| +– \||\| logs \| sampled \|/,
    );
    expect(JSON.parse(readFileSync(join(folder, "metrics.json"), "utf8"))).toEqual(report);
  });
});
