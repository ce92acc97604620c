import { scoreOf } from "../classify/calibration.ts";
import { LogGuardianError } from "../errors.ts";
import { createMasker } from "../mask/masker.ts";
import type { OpenModel } from "../pipeline/open-model.ts";
import type { ReliabilityBin } from "./calibration-error.ts";
import {
  type ChosenThreshold,
  type CrossValidation,
  chooseThreshold,
  crossValidate,
} from "./cross-validation.ts";
import { type Curve, figuresAt, stepAt, thinned } from "./curves.ts";
import { type DataSource, openDataSet, openTrainingData } from "./data/data-set.ts";
import type { ReadingNotes } from "./data/labelled-window.ts";
import { collect, type Item, itemsOf, judgeAll, type Occurrence } from "./judged-windows.ts";
import { type EvaluationIntervals, intervalsOf } from "./resampled-figures.ts";
import { type SplitOptions, split } from "./splits.ts";
import { type TemplateErrors, templateErrors } from "./template-errors.ts";
import { trainingDataOf } from "./training-note.ts";
import {
  calibrationOfItems,
  curveOfItems,
  type Figures,
  figuresOf,
  type Known,
  knownOf,
  viewsOf,
} from "./views.ts";

export interface EvaluationOptions {
  data: DataSource;
  /** What training has seen, for the views of what it has not. */
  train?: string;
  /** Replaces the bundle's threshold. */
  threshold?: number;
  split?: SplitOptions;
  /** Of the cross-validation of the threshold; 0 leaves it out. */
  folds: number;
  seed: number;
}

/** What one threshold gives. */
export interface ThresholdRow {
  threshold: number;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  falseAlarms: number;
  falseAlarmsPerDay: number | null;
}

/** Everything known about one bundle on one data set. */
export interface Evaluation {
  model: { name: string; version: string /** as the manifest describes it */; trainingData: string | null };
  threshold: number;
  data: {
    path: string;
    format: string;
    /** Windows read, and those of them that the figures are of. */
    windows: number;
    tested: number;
    /** Windows that a chronological split leaves out, since they share lines with tested ones. */
    leftOut: number;
    /** Whether windows overlap, and so share lines. */
    overlap: boolean;
    /** Windows with more lines than the model reads: the rest of their lines was not scored. */
    windowsCut: number;
    /** From the first line tested to the last, where lines carry times and all windows between are tested. */
    days: number | null;
    reading: ReadingNotes;
    split: SplitOptions | null;
  };
  views: ({ name: string } & Figures)[];
  intervals: EvaluationIntervals;
  roc: { falsePositiveRate: number | null; truePositiveRate: number | null }[];
  precisionRecall: { recall: number | null; precision: number | null }[];
  thresholds: ThresholdRow[];
  /** F1, precision and recall over the margin, for the picture. */
  thresholdCurve: (ThresholdRow & { margin: number })[];
  calibration: ReliabilityBin[];
  /** Windows by score, in twenty stretches of [0, 1]. */
  scores: { normal: number[]; anomalous: number[] };
  crossValidation: CrossValidation | null;
  /** Chosen for the best F1 on the windows that are not tested. */
  chosenOnRest: ChosenThreshold | null;
  errors: TemplateErrors;
}

export type Progress = (what: string, done: number, all?: number) => void;

const thresholdRows = [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
const pointsOfCurve = 200;
const dayMs = 86_400_000;

/**
 * Reads, judges and compares.
 * @throws LogGuardianError LG_DATASET_* and LG_FILE_UNREADABLE where the data cannot be used.
 */
export async function evaluateModel(
  model: OpenModel,
  options: EvaluationOptions,
  onProgress: Progress,
): Promise<Evaluation> {
  const { manifest } = model.bundle;
  const threshold = options.threshold ?? manifest.threshold;
  const scoreOfRank = (margin: number) => scoreOf(margin, manifest.calibration);
  const view = {
    masker: createMasker({ profile: manifest.text.maskProfile }),
    template: manifest.text.template,
  };

  const dataSet = openDataSet(options.data, view);
  const all = await collect(dataSet.windows, model.bundle.id, (done) => onProgress("windows read", done));
  if (all.length === 0) throw empty(options.data.path);
  const parts = options.split === undefined ? { rest: [], tested: all } : split(all, options.split);
  if (parts.tested.length === 0) throw empty(`The tested share of ${options.data.path}`);
  let known: Known | undefined = options.split === undefined ? undefined : knownOf(parts.rest);
  if (options.train !== undefined) {
    const training = openTrainingData({ ...options.data, path: options.train }, view);
    known = knownOf(
      await collect(training.windows, model.bundle.id, (done) => onProgress("training windows read", done)),
    );
  }

  await judgeAll(model, all, (done, of) => onProgress("distinct windows judged", done, of));
  const items = itemsOf(parts.tested);
  const rest = itemsOf(parts.rest);
  const curve = curveOfItems(items);
  const days = options.split?.kind === "random" ? null : daysOf(parts.tested);
  const rowAt = thresholdRowOf(curve, days);
  onProgress("errors explained", 0);
  const steps = thinned(curve.steps, pointsOfCurve).filter((step) => Number.isFinite(step.rank));

  return {
    model: { name: manifest.name, version: manifest.version, trainingData: trainingDataOf(manifest) },
    threshold,
    data: {
      path: options.data.path,
      format: options.data.format,
      windows: weightOf(all),
      tested: weightOf(parts.tested),
      leftOut: weightOf(all) - weightOf(parts.tested) - weightOf(parts.rest),
      overlap: all.some(({ firstLine }) => firstLine !== undefined),
      windowsCut: weightOf(all.filter(({ window }) => window.masked.length > manifest.window.maxLines)),
      days,
      reading: dataSet.notes,
      split: options.split ?? null,
    },
    views: viewsOf(items, known).map(({ name, items: some }) => ({
      name,
      ...figuresOf({ items: some }, threshold, scoreOfRank),
    })),
    intervals: intervalsOf(items, threshold, options.seed),
    roc: steps.map((step) => {
      const { falsePositiveRate, recall } = figuresAt(step, curve);
      return { falsePositiveRate, truePositiveRate: recall };
    }),
    precisionRecall: steps.map((step) => {
      const { recall, precision } = figuresAt(step, curve);
      return { recall, precision };
    }),
    thresholds: thresholdRows.map((score) => rowAt(marginOf(score, manifest.calibration), score)),
    thresholdCurve: steps.map(({ rank: margin }) => ({ margin, ...rowAt(margin, scoreOfRank(margin)) })),
    calibration: calibrationOfItems(items).bins,
    scores: histogramOf(items),
    crossValidation: canFold(items, options.folds)
      ? crossValidate(items, options.folds, options.seed, scoreOfRank)
      : null,
    chosenOnRest: chooseThreshold(rest, items, scoreOfRank) ?? null,
    errors: await templateErrors(model, items, threshold),
  };
}

function empty(what: string): LogGuardianError {
  return new LogGuardianError("LG_DATASET_EMPTY", `${what} holds no window.`, "Give labelled windows.");
}

/** Every fold needs a window of each label. */
function canFold(items: readonly Item[], folds: number): boolean {
  const anomalous = items.filter(({ label }) => label === 1).length;
  return folds >= 2 && anomalous >= folds && items.length - anomalous >= folds;
}

function weightOf(occurrences: readonly Occurrence[]): number {
  return occurrences.reduce((sum, { count }) => sum + count, 0);
}

/** null where some window carries no time, or all stand at one moment. */
function daysOf(occurrences: readonly Occurrence[]): number | null {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { start, end } of occurrences) {
    if (start === undefined || end === undefined) return null;
    first = Math.min(first, start);
    last = Math.max(last, end);
  }
  return last > first ? (last - first) / dayMs : null;
}

function thresholdRowOf(curve: Curve, days: number | null) {
  return (margin: number, threshold: number): ThresholdRow => {
    const { precision, recall, f1, falseAlarms } = figuresAt(stepAt(curve, margin), curve);
    const falseAlarmsPerDay = days === null ? null : falseAlarms / days;
    return { threshold, precision, recall, f1, falseAlarms, falseAlarmsPerDay };
  };
}

/** The margin whose score this is. */
function marginOf(score: number, { scale, shift }: { scale: number; shift: number }): number {
  return (Math.log(score / (1 - score)) - shift) / scale;
}

const scoreStretches = 20;

function histogramOf(items: readonly Item[]): { normal: number[]; anomalous: number[] } {
  const histogram = {
    normal: new Array<number>(scoreStretches).fill(0),
    anomalous: new Array<number>(scoreStretches).fill(0),
  };
  for (const { window, label, weight } of items) {
    if (window.score === null) continue;
    const bars = label === 1 ? histogram.anomalous : histogram.normal;
    const place = Math.min(Math.floor(window.score * scoreStretches), scoreStretches - 1);
    bars[place] = (bars[place] ?? 0) + weight;
  }
  return histogram;
}
