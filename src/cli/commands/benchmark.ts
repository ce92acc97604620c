import { constants } from "node:os";
import { type BenchmarkReport, type MethodReport, runBenchmark } from "../../benchmark/benchmark.ts";
import { checkBenchmarkSource } from "../../benchmark/benchmark-data.ts";
import { chooseBundles, viewOf } from "../../benchmark/bundle-method.ts";
import { chooseMethods } from "../../benchmark/choose-methods.ts";
import { createExchange } from "../../benchmark/exchange.ts";
import { type MethodName, methodNames } from "../../benchmark/method-names.ts";
import { benchmarkText, writeBenchmark } from "../../benchmark/report/write.ts";
import { LogGuardianError } from "../../errors.ts";
import { assertBothLabels } from "../../evaluate/both-labels.ts";
import { figure, short } from "../../evaluate/report/format.ts";
import { createReportFolder } from "../../evaluate/report/write.ts";
import type { SplitKind } from "../../evaluate/splits.ts";
import { parseShare, parseWhole } from "../arguments.ts";
import type { createDataSetOptions } from "../data-set-options.ts";
import { exitCodes } from "../exit-codes.ts";
import { createProgress } from "../progress.ts";

interface Options {
  dataSets: ReturnType<typeof createDataSetOptions>;
  split: SplitKind;
  testShare: string;
  methods?: string;
  model?: string[];
  plugin?: string[];
  referenceWindows: string;
  threads: string;
  seed: string;
  keepGoing?: boolean;
  json?: boolean;
  report?: string;
}

export async function benchmarkCommand(options: Options): Promise<void> {
  const seed = parseWhole(options.seed, "--seed", 0);
  const threads = parseWhole(options.threads, "--threads", 1);
  const sources = options.dataSets.sources({
    kind: options.split,
    testShare: parseShare(options.testShare, "--test-share"),
    seed,
  });
  const keepGoing = options.keepGoing === true;
  const exchange = createExchange();
  const bundles = await chooseBundles(options.model ?? []);
  const methods = chooseMethods({
    names: parseMethods(options.methods),
    plugins: parsePlugins(options.plugin ?? []),
    referenceWindows: parseWhole(options.referenceWindows, "--reference-windows", 1),
    ...{ bundles, exchange, threads, seed, keepGoing },
  });
  for (const source of sources) await checkBenchmarkSource(source);
  if (options.report !== undefined) await createReportFolder(options.report);
  const progress = createProgress();
  const end = (signal: NodeJS.Signals) => process.exit(128 + constants.signals[signal]);
  process.once("SIGINT", end).once("SIGTERM", end);
  let report: BenchmarkReport;
  try {
    report = await runBenchmark(
      methods,
      sources,
      { view: viewOf(bundles[0].manifest), threads, seed, keepGoing },
      { show: progress.show, done: (dataSet, method) => progress.say(sentence(dataSet, method)) },
    );
  } finally {
    process.off("SIGINT", end).off("SIGTERM", end);
    progress.end();
    exchange.close();
  }
  if (options.report !== undefined) await writeBenchmark(options.report, report);
  console.log(options.json === true ? JSON.stringify(report) : benchmarkText(report));
  assertBothLabels(report.dataSets.map(({ name, test }) => ({ name, ...test })));
  if (report.dataSets.some(({ leftOut }) => leftOut.length > 0)) process.exitCode = exitCodes.failed;
}

function sentence(dataSet: string, method: MethodReport | { name: string; reason: string }): string {
  if ("reason" in method) return `${dataSet}: ${method.name} is left out. ${method.reason}`;
  const { name, views, speed, trainSeconds } = method;
  const f1 = views === null ? "" : `F1 ${figure(views[0]?.metrics.f1)}, `;
  const learnt = trainSeconds === null ? "" : `learnt in ${trainSeconds.toFixed(1)} s, `;
  return `${dataSet}: ${name}, ${f1}${learnt}${short(speed.windows)} distinct windows judged in ${speed.seconds.toFixed(1)} s.`;
}

function parseMethods(list: string | undefined): ReadonlySet<MethodName> {
  if (list === undefined) return new Set(methodNames);
  const names = list.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !methodNames.includes(name as MethodName));
  if (unknown.length > 0) {
    throw new LogGuardianError(
      "LG_USAGE",
      `--methods ${unknown.join(",")} is not known.`,
      `Choose of ${methodNames.join(", ")}.`,
    );
  }
  return new Set(names as MethodName[]);
}

function parsePlugins(list: readonly string[]): ReadonlyMap<string, string> {
  const plugins = new Map<string, string>();
  for (const text of list) {
    const [, name, command] = /^([^=]+)=(.*\S.*)$/s.exec(text) ?? [];
    if (name === undefined || command === undefined || plugins.has(name)) {
      throw new LogGuardianError(
        "LG_USAGE",
        `--plugin ${text} has ${name !== undefined && plugins.has(name) ? "a name that is taken" : "no name and command"}.`,
        "Write a name of its own, = and the command, such as mine=./mine.py.",
      );
    }
    plugins.set(name, command);
  }
  return plugins;
}
