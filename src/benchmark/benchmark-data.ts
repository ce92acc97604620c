import { basename } from "node:path";
import { LogGuardianError } from "../errors.ts";
import { checkSource, type DataSource, openDataSet } from "../evaluate/data/data-set.ts";
import type { LineView } from "../evaluate/data/lines.ts";
import { collect, type DistinctWindow, type Occurrence } from "../evaluate/judged-windows.ts";
import { type SplitOptions, split } from "../evaluate/splits.ts";
import { type Known, knownOf } from "../evaluate/views.ts";

/** Where a data set comes from: two files that are split already, or one that is split here. */
export type BenchmarkSource =
  | { kind: "files"; train: DataSource; test: DataSource }
  | { kind: "split"; data: DataSource; split: SplitOptions };

/** A distinct window of training; windows of the same lines with different labels are two. */
export interface TrainingWindow {
  masked: readonly string[];
  label: 0 | 1;
  /** How often it occurs. */
  count: number;
}

/** What every method of a benchmark gets alike: it learns from `train` and judges `distinct`. */
export interface BenchmarkData {
  name: string;
  train: readonly TrainingWindow[];
  /** Every window tested, with its label. */
  tested: readonly Occurrence[];
  /** The windows tested, each once: a method judges each once. */
  distinct: readonly DistinctWindow[];
  known: Known;
}

export type Progress = (what: string, done?: number, all?: number) => void;

/** What can be said before anything is read. @throws LogGuardianError LG_USAGE, LG_FILE_UNREADABLE. */
export async function checkBenchmarkSource(source: BenchmarkSource): Promise<void> {
  if (source.kind === "split") return checkSource(source.data);
  await checkSource(source.train);
  await checkSource(source.test);
}

/** What the report calls it: the name of the file that is tested. */
export function nameOf(source: BenchmarkSource): string {
  const { path } = source.kind === "files" ? source.test : source.data;
  return basename(path).replace(/(\.(jsonl|log))?(\.(gz|xz))?$/, "");
}

/**
 * Reads a data set as `view` shows its lines.
 * @throws LogGuardianError LG_DATASET_* and LG_FILE_UNREADABLE where the data cannot be used.
 */
export async function loadBenchmarkData(
  name: string,
  source: BenchmarkSource,
  view: LineView,
  onProgress: Progress,
): Promise<BenchmarkData> {
  const read = async (from: DataSource) => {
    // The keys must tell windows apart in this run only: no bundle's id is needed.
    const found = await collect(openDataSet(from, view).windows, "", (done) =>
      onProgress(`windows of ${from.path} read`, done),
    );
    if (found.length === 0) throw empty(from.path);
    return found;
  };
  let rest: Occurrence[];
  let tested: Occurrence[];
  if (source.kind === "files") [rest, tested] = [await read(source.train), await read(source.test)];
  else ({ rest, tested } = split(await read(source.data), source.split));
  if (rest.length === 0 || tested.length === 0) throw empty(`A part of ${name}`);
  return {
    name,
    train: trainingWindows(rest),
    tested,
    distinct: [...new Set(tested.map(({ window }) => window))],
    known: knownOf(rest),
  };
}

function trainingWindows(occurrences: readonly Occurrence[]): TrainingWindow[] {
  const found = new Map<string, TrainingWindow>();
  for (const { window, label, count } of occurrences) {
    const key = `${label}${window.key}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { masked: window.masked, label, count });
    else known.count += count;
  }
  return [...found.values()];
}

function empty(what: string): LogGuardianError {
  return new LogGuardianError(
    "LG_DATASET_EMPTY",
    `${what} holds no window.`,
    "Give labelled windows, to learn from and to test.",
  );
}
