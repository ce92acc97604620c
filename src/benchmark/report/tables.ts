import { figure, short } from "../../evaluate/report/format.ts";
import type { Table } from "../../evaluate/report/tables.ts";
import { visible } from "../../verdict/visible.ts";
import type { BenchmarkReport, DataSetReport, MethodReport } from "../benchmark.ts";
import type { MethodFigures } from "../figures.ts";

/** The views of the data that have columns of their own; metrics.json has all. */
export const shownViews = [
  { name: "all windows", short: "all" },
  { name: "distinct windows", short: "distinct" },
  { name: "distinct windows never seen in training", short: "never seen" },
] as const;

export function viewOf({ views }: MethodReport, name: string): MethodFigures | undefined {
  return views?.find((view) => view.name === name);
}

/** Methods by data sets: quality and speed side by side. */
export function benchmarkTable({ dataSets }: BenchmarkReport): Table {
  return {
    header: [
      "data",
      "method",
      "precision",
      "recall",
      "F1",
      "AP",
      "F1 distinct",
      "AP distinct",
      "F1 never seen",
      "train s",
      "windows/s",
      "lines/s",
    ],
    words: [0, 1],
    rows: dataSets.flatMap((dataSet) => dataSet.methods.map((method) => [dataSet.name, ...row(method)])),
  };
}

function row(method: MethodReport): string[] {
  const { name, trainSeconds, speed } = method;
  const [all, distinct, unseen] = shownViews.map((view) => viewOf(method, view.name));
  const about = (value: number | null) =>
    `${value === null || speed.extrapolatedSeconds === null ? "" : "~"}${short(value)}`;
  return [
    name,
    figure(all?.metrics.precision),
    figure(all?.metrics.recall),
    figure(all?.metrics.f1),
    figure(all?.averagePrecision),
    figure(distinct?.metrics.f1),
    figure(distinct?.averagePrecision),
    figure(unseen?.metrics.f1),
    trainSeconds === null ? "–" : trainSeconds.toFixed(1),
    about(speed.windowsPerSecond),
    about(speed.linesPerSecond),
  ];
}

/** What a reader must know before the figures. */
export function notesOf(report: BenchmarkReport): string[] {
  const { dataSets, processor, processors, threads, seed, load } = report;
  const methods = dataSets.flatMap((dataSet) => dataSet.methods);
  return [
    ...dataSets.map(sizes),
    `Speed: ${threads === 1 ? "one thread" : `${threads} threads`}, ${processor}; every method judges each distinct window once, and only learning and judging is timed, not starting up. Seed ${seed}.`,
    ...(load > Math.max(processors, threads) + 0.5
      ? [
          `The machine was busy: ${load.toFixed(1)} processes for its ${processors} processors. Speeds are too low, and not by the same factor.`,
        ]
      : []),
    ...new Set(methods.flatMap(({ notes }) => notes)),
    ...dataSets.flatMap(referenceSentences),
    ...dataSets.flatMap(({ name, leftOut }) =>
      leftOut.map((method) => visible(`${name}: ${method.name} is left out. ${method.reason}`)),
    ),
  ];
}

function sizes({ name, train, test }: DataSetReport): string {
  return `${name}: tested on ${short(test.windows)} windows (${short(test.anomalous)} anomalous, ${short(test.distinct)} distinct, ${short(test.lines)} lines), trained on ${short(train.windows)} (${short(train.anomalous)} anomalous, ${short(train.distinct)} distinct).`;
}

function referenceSentences({ name, methods }: DataSetReport): string[] {
  return methods.flatMap((method) => {
    const { speed, agreement } = method;
    const sentences: string[] = [];
    if (speed.extrapolatedSeconds !== null)
      sentences.push(
        `${name}: ${method.name} was timed on ${short(speed.windows)} random windows (${speed.seconds.toFixed(1)} s) and is extrapolated by lines (~): ${short(speed.extrapolatedSeconds)} s for all.`,
      );
    if (agreement !== null) {
      const speedUp =
        agreement.speedUp === null
          ? ""
          : `, ${short(agreement.speedUp)} times as many lines a second by the bundle`;
      sentences.push(
        `${name}: ${method.name} and the bundle give ${short(agreement.sameVerdict)} of ${short(agreement.windows)} windows the same verdict; margins differ by ${agreement.largestDifference?.toExponential(1) ?? "–"} at most, F1 on these windows ${figure(agreement.f1)} and ${figure(agreement.otherF1)}${speedUp}.`,
      );
    }
    return sentences;
  });
}
