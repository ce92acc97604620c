import { LogGuardianError } from "../../errors.ts";
import { assertBothLabels } from "../../evaluate/both-labels.ts";
import type { DataFormat } from "../../evaluate/data/data-format.ts";
import { checkSource } from "../../evaluate/data/data-set.ts";
import { type Evaluation, type EvaluationOptions, evaluateModel } from "../../evaluate/evaluation.ts";
import { textReport } from "../../evaluate/report/text.ts";
import { createReportFolder, writeReport } from "../../evaluate/report/write.ts";
import type { SplitKind } from "../../evaluate/splits.ts";
import { type Summary, summaryOf } from "../../evaluate/summary.ts";
import { withModel } from "../../pipeline/open-model.ts";
import { parseNumber, parseShare, parseWhole, parseWindow } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";
import { createProgress } from "../progress.ts";

interface Options {
  data: string;
  format: DataFormat;
  labels?: string;
  window?: string;
  train?: string;
  model?: string[];
  threshold?: string;
  split?: SplitKind;
  testShare?: string;
  folds: string;
  seed: string;
  json?: boolean;
  report?: string;
  minF1?: string;
}

export async function evaluateCommand(options: Options): Promise<void> {
  const evaluationOptions = parse(options);
  const leastF1 = options.minF1 === undefined ? undefined : parseNumber(options.minF1, "--min-f1", 0, 1);
  await checkSource(evaluationOptions.data, evaluationOptions.train);
  if (options.report !== undefined) await createReportFolder(options.report);
  const evaluations: Evaluation[] = [];
  const progress = createProgress();
  try {
    for (const bundleDir of options.model ?? [undefined]) {
      const chosen = bundleDir === undefined ? {} : { bundleDir };
      evaluations.push(
        await withModel({ evidence: false, ...chosen }, (model) =>
          evaluateModel(model, evaluationOptions, progress.show),
        ),
      );
    }
  } finally {
    progress.end();
  }
  const summary = summaryOf(evaluations);
  if (options.report !== undefined) await writeReport(options.report, summary);
  console.log(options.json === true ? JSON.stringify(summary) : textReport(summary));
  const { truePositives, falsePositives, trueNegatives, falseNegatives } = summary.counts;
  const anomalous = truePositives + falseNegatives;
  const windows = anomalous + trueNegatives + falsePositives;
  assertBothLabels([{ name: options.data, windows, anomalous }]);
  if (leastF1 !== undefined) gate(summary, leastF1);
}

function parse(options: Options): EvaluationOptions {
  const { data, format, labels, train, threshold, window = "100", testShare: share = "0.2" } = options;
  assertApplies(options);
  const seed = parseWhole(options.seed, "--seed", 0);
  const folds = parseWhole(options.folds, "--folds", 0);
  if (folds === 1)
    throw new LogGuardianError(
      "LG_USAGE",
      "--folds 1 leaves nothing to choose on.",
      "Give 2 or more, or 0 for none.",
    );
  const testShare = parseShare(share, "--test-share");
  return {
    data: {
      path: data,
      format,
      window: parseWindow(window),
      ...(labels === undefined ? {} : { labels }),
    },
    ...(train === undefined ? {} : { train }),
    ...(threshold === undefined ? {} : { threshold: parseNumber(threshold, "--threshold", 0, 1) }),
    ...(options.split === undefined ? {} : { split: { kind: options.split, testShare, seed } }),
    folds,
    seed,
  };
}

/** An option that would change nothing is a mistake. @throws LogGuardianError LG_USAGE. */
function assertApplies({ format, labels, window, split, testShare }: Options): void {
  const refuse = (what: string, remedy: string) => new LogGuardianError("LG_USAGE", what, remedy);
  if (labels !== undefined && format !== "hdfs" && format !== "hadoop")
    throw refuse(`--labels says nothing of ${format}, whose labels stand in the data.`, "Leave it out.");
  if (window !== undefined && (format === "jsonl" || format === "hdfs"))
    throw refuse(`--window says nothing of ${format}, whose windows are given.`, "Leave it out.");
  if (testShare !== undefined && split === undefined)
    throw refuse("--test-share belongs to --split.", "Give --split with it, or leave it out.");
}

function gate({ metrics: { f1 } }: Summary, least: number): void {
  if (f1 !== null && f1 >= least) return;
  console.error(`F1 ${f1?.toFixed(4)} is below --min-f1 ${least}.`);
  process.exitCode = exitCodes.belowGate;
}
