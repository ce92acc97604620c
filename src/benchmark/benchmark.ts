import { cpus, loadavg } from "node:os";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { LineView } from "../evaluate/data/lines.ts";
import { type MethodAgreement, methodAgreement } from "./agreement.ts";
import {
  type BenchmarkData,
  type BenchmarkSource,
  loadBenchmarkData,
  nameOf,
  type Progress,
} from "./benchmark-data.ts";
import { type MethodFigures, methodFigures, type Speed, speedOf } from "./figures.ts";
import type { Method, MethodResult } from "./method.ts";

/** One method on one data set. */
export interface MethodReport {
  id: string;
  name: string;
  /** null where only a sample was judged. */
  views: MethodFigures[] | null;
  trainSeconds: number | null;
  speed: Speed;
  /** With the method that computes the same another way, on the windows that both judged. */
  agreement: MethodAgreement | null;
  notes: readonly string[];
  /** When it ended, as the report's. */
  load: number;
}

export interface DataSetReport {
  name: string;
  train: { windows: number; distinct: number; anomalous: number };
  test: { windows: number; distinct: number; anomalous: number; lines: number };
  methods: MethodReport[];
  /** Only with `keepGoing`. */
  leftOut: { id: string; name: string; reason: string }[];
}

export interface BenchmarkReport {
  processor: string;
  processors: number;
  /** Processes that ran or waited for a processor, its own with them: the highest average over a minute that it saw. */
  load: number;
  threads: number;
  seed: number;
  dataSets: DataSetReport[];
}

export interface BenchmarkOptions {
  /** Of methods that have no view of their own. */
  view: LineView;
  threads: number;
  seed: number;
  /** A method that fails is left out with the reason; else its error ends the benchmark. */
  keepGoing: boolean;
}

export interface BenchmarkProgress {
  /** What is under way. */
  show: Progress;
  /** A method is done with a data set, or was left out of it. */
  done(dataSet: string, method: MethodReport | { name: string; reason: string }): void;
}

/**
 * Every method on every data set, one after the other, so that none takes another's time.
 * @throws LogGuardianError of the data; of a method unless `keepGoing`.
 */
export async function runBenchmark(
  methods: readonly Method[],
  sources: readonly BenchmarkSource[],
  options: BenchmarkOptions,
  progress: BenchmarkProgress,
): Promise<BenchmarkReport> {
  const dataSets: DataSetReport[] = [];
  const names = new Map<string, number>();
  for (const source of sources) {
    const plain = nameOf(source);
    const before = names.get(plain) ?? 0;
    names.set(plain, before + 1);
    const name = before === 0 ? plain : `${plain} (${before + 1})`;
    dataSets.push(await runOn(name, source, methods, options, progress));
  }
  const { threads, seed } = options;
  const [first, ...more] = cpus();
  return {
    processor: first?.model.trim() ?? "",
    processors: 1 + more.length,
    load: Math.max(...dataSets.flatMap(({ methods }) => methods.map(({ load }) => load)), 0),
    ...{ threads, seed, dataSets },
  };
}

async function runOn(
  name: string,
  source: BenchmarkSource,
  methods: readonly Method[],
  { view, keepGoing }: BenchmarkOptions,
  progress: BenchmarkProgress,
): Promise<DataSetReport> {
  const data = createViews(name, source, progress.show);
  const shared = await data.of(view);
  const report: DataSetReport = { name, ...sizesOf(shared), methods: [], leftOut: [] };
  const results = new Map<string, MethodResult>();
  for (const method of methods) {
    const { id } = method;
    const seen = await data.of(method.view ?? view);
    const show: Progress = (what, ...counts) => progress.show(`${name}, ${method.name}: ${what}`, ...counts);
    show("begins");
    try {
      const result = await method.run(seen, show);
      results.set(id, result);
      const done = reportOf(method, seen, result, results.get(method.sameAs ?? ""));
      report.methods.push(done);
      progress.done(name, done);
    } catch (thrown) {
      if (!keepGoing || !(thrown instanceof LogGuardianError)) throw thrown;
      const leftOut = { id, name: method.name, reason: reasonOf(thrown) };
      report.leftOut.push(leftOut);
      progress.done(name, leftOut);
    }
  }
  return report;
}

/** Each way to see the lines is read once; bundles of one recipe share theirs with the methods without a model. */
function createViews(name: string, source: BenchmarkSource, onProgress: Progress) {
  const loaded = new Map<string, BenchmarkData>();
  return {
    async of(view: LineView): Promise<BenchmarkData> {
      const key = JSON.stringify([view.masker.hash, view.template]);
      const data = loaded.get(key) ?? (await loadBenchmarkData(name, source, view, onProgress));
      loaded.set(key, data);
      return data;
    },
  };
}

function reportOf(
  { id, name, notes }: Method,
  data: BenchmarkData,
  result: MethodResult,
  other: MethodResult | undefined,
): MethodReport {
  return {
    id,
    name,
    views: result.answers.size < data.distinct.length ? null : methodFigures(data, result.answers),
    trainSeconds: result.trainSeconds,
    speed: speedOf(data, result),
    agreement: other === undefined ? null : methodAgreement(data, result, other),
    notes,
    load: loadavg()[0] ?? 0,
  };
}

function sizesOf({ train, tested, distinct }: BenchmarkData): Pick<DataSetReport, "train" | "test"> {
  const sum = (rows: readonly { label: 0 | 1; count: number }[]) => ({
    windows: rows.reduce((all, { count }) => all + count, 0),
    anomalous: rows.reduce((all, { label, count }) => all + label * count, 0),
  });
  return {
    train: { ...sum(train), distinct: new Set(train.map(({ masked }) => JSON.stringify(masked))).size },
    test: {
      ...sum(tested),
      distinct: distinct.length,
      lines: tested.reduce((all, { count, window }) => all + count * window.masked.length, 0),
    },
  };
}
