import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { dataFile, root, starterBundle } from "../support/data.ts";

const folder = mkdtempSync(join(tmpdir(), "logguardian-evaluate-"));

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "bin/logguardian.js"), ...args],
    {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    },
  );
  return { status, stdout, stderr };
}

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const labels = join(folder, "labels.csv");
const log = write(
  "hdfs.log",
  run("simulate", "hdfs", "--lines", "3000", "--fault-rate", "0.1", "--labels", labels).stdout,
);
const hdfs = ["evaluate", "--data", log, "--labels", labels, "--format", "hdfs"];
const sessions = readFileSync(labels, "utf8").trim().split("\n").slice(1);
const faults = sessions.filter((row) => row.endsWith(",Anomaly")).length;

describe("evaluate", () => {
  const report = join(folder, "report");
  const asked = run(...hdfs, "--json", "--report", report, "--train", log, "--min-f1", "0.5");

  it("compares every session's verdict with its label", () => {
    expect(asked.status).toBe(0);
    const { metrics, counts, threshold, evaluations } = JSON.parse(asked.stdout);
    const { truePositives, falsePositives, trueNegatives, falseNegatives, undecided } = counts;
    expect(truePositives + falseNegatives).toBe(faults);
    expect(truePositives + falsePositives + trueNegatives + falseNegatives).toBe(sessions.length);
    expect(undecided).toBe(0);
    expect(threshold).toBe(JSON.parse(readFileSync(join(starterBundle, "manifest.json"), "utf8")).threshold);
    expect(metrics.precision).toBe(truePositives / (truePositives + falsePositives));
    expect(metrics.f1).toBeGreaterThan(0.9);
    const [{ views, intervals, data }] = evaluations;
    expect(intervals.intervals.f1.low).toBeLessThanOrEqual(metrics.f1);
    expect(intervals.intervals.f1.high).toBeGreaterThanOrEqual(metrics.f1);
    expect(data.days).toBeGreaterThan(0);
    // All of it is training: nothing is unseen.
    expect(views.map(({ windows }: { windows: number }) => windows > 0)).toEqual([
      true,
      true,
      false,
      false,
      false,
      true,
    ]);
    expect(views[1].windows).toBeLessThan(views[0].windows);
  });

  it("writes the report with its pictures in it, in light and dark", () => {
    const html = readFileSync(join(report, "report.html"), "utf8");
    for (const picture of [
      "ROC curve",
      "Precision-recall curve",
      "Threshold analysis",
      "Calibration",
      "Scores",
      "F1 by",
    ])
      expect(html).toMatch(new RegExp(`<svg [^>]*aria-label="${picture}`));
    expect(html).toContain("prefers-color-scheme: dark");
    // Nothing is loaded from elsewhere, nothing came out as no number.
    expect(html).not.toMatch(/<script|<link|src=|url\(|NaN|undefined/);
    const metrics = JSON.parse(readFileSync(join(report, "metrics.json"), "utf8"));
    expect(metrics).toEqual(JSON.parse(asked.stdout));
    const markdown = readFileSync(join(report, "report.md"), "utf8");
    expect(markdown).toContain(`| f1 | ${metrics.metrics.f1.toFixed(4)} |`);
    expect(markdown).not.toMatch(/NaN|undefined/);
  });

  it("prints the same figures for people", () => {
    const { stdout } = run(...hdfs);
    expect(stdout).toMatch(new RegExp(`f1 +${JSON.parse(asked.stdout).metrics.f1.toFixed(4)}`));
  });

  it("is a gate with an exit code of its own", () => {
    const { status, stderr, stdout } = run(...hdfs, "--threshold", "0", "--min-f1", "0.9");
    expect(status).toBe(4);
    expect(stdout).toContain("Lines of false alarms");
    expect(stderr).toMatch(/^F1 0\.\d+ is below --min-f1 0\.9\.\n$/);
    // From score 0 on everything is anomalous.
    expect(stdout).toMatch(/recall +1\.0000/);
  });

  it("takes several bundles as seeds", () => {
    const { seeds, evaluations, counts, metrics } = JSON.parse(
      run(...hdfs, "--json", "--model", starterBundle, "--model", starterBundle).stdout,
    );
    expect(evaluations).toHaveLength(2);
    expect(counts.truePositives + counts.falseNegatives).toBe(2 * faults);
    // The same bundle twice: no spread.
    expect(seeds[0].figures.f1).toEqual({
      mean: metrics.f1,
      low: metrics.f1,
      high: metrics.f1,
      values: [metrics.f1, metrics.f1],
    });
  });

  it("splits in time: figures of the last share, a threshold from what comes before it", () => {
    const args = ["--data", dataFile("bgl/BGL_2k.log"), "--format", "bgl", "--window", "20"];
    const split = ["--split", "chronological", "--test-share", "0.3", "--json"];
    const [{ data, chosenOnRest, views, errors }] = JSON.parse(
      run("evaluate", ...args, ...split).stdout,
    ).evaluations;
    expect([data.windows, data.tested]).toEqual([100, 30]);
    expect(views[0].windows).toBe(30);
    expect(chosenOnRest.threshold).toBeGreaterThan(0);
    expect(views.map(({ name }: { name: string }) => name)).toContain(
      "distinct windows never seen in training",
    );
    for (const { alerts } of [...errors.falseAlarms, ...errors.misses]) expect(alerts).not.toBeNull();
    expect(data).toMatchObject({ leftOut: 0, overlap: false });
  });

  it("says which windows share lines with tested ones, and leaves them out of what comes before", () => {
    const args = ["--data", dataFile("bgl/BGL_2k.log"), "--format", "bgl", "--window", "20/5"];
    const { stdout } = run("evaluate", ...args, "--split", "chronological", "--folds", "0");
    // The three windows that begin less than 20 lines before the first tested one.
    expect(stdout).toContain("3 windows share lines with tested ones");
    expect(stdout).not.toContain("Windows overlap");
    const random = run("evaluate", ...args, "--split", "random", "--folds", "0").stdout;
    expect(random).toContain("Windows overlap");
    expect(random).not.toContain("share lines with tested ones");
  });
});

describe("bad input", () => {
  const good = write("good.jsonl", '{"label":0,"lines":["a"]}\n{"label":1,"lines":["b"]}\n');

  it("of one label: prints what exists, says what does not, and fails", () => {
    const normal = write(
      "normal.jsonl.gz",
      gzipSync('{"label":0,"lines":["generating core.1"],"count":7}\n'),
    );
    const { status, stdout, stderr } = run("evaluate", "--data", normal, "--format", "jsonl", "--json");
    expect(status).toBe(1);
    expect(stderr).toMatch(/All windows tested of .* are normal: recall, F1, .* do not exist/);
    const { metrics } = JSON.parse(stdout);
    expect(metrics).toMatchObject({ recall: null, f1: null });
    expect(metrics.accuracy).not.toBeNull();
  });

  it.each([
    ["no window", ["--data", write("empty.jsonl", "\n"), "--format", "jsonl"], /holds no window/],
    [
      "a file that is not there",
      ["--data", "/nowhere.log", "--format", "bgl"],
      /\/nowhere\.log cannot be read/,
    ],
    ["a window of no line", ["--data", log, "--format", "bgl", "--window", "0"], /--window 0/],
    [
      "a window of a fraction",
      ["--data", log, "--format", "bgl", "--window", "2.5"],
      /--window 2\.5 is not a whole number/,
    ],
    ["no labels", ["--data", log, "--format", "hdfs"], /needs --labels/],
    [
      "labels of another log",
      ["--data", log, "--format", "hdfs", "--labels", write("l.csv", "blk_1,Normal\n")],
      /has no label for/,
    ],
    ["a folder without jobs", ["--data", folder, "--format", "hadoop"], /abnormal_label\.txt cannot be read/],
    [
      "training data that is not there",
      ["--data", good, "--format", "jsonl", "--train", "/nowhere.jsonl"],
      /\/nowhere\.jsonl/,
    ],
    [
      "a share of nothing",
      ["--data", good, "--format", "jsonl", "--split", "random", "--test-share", "0.1"],
      /The tested share of .* holds no window/,
    ],
    ...["0", "1", "all"].map((share): [string, string[], RegExp] => [
      `a share of ${share}`,
      ["--data", good, "--format", "jsonl", "--split", "random", "--test-share", share],
      /--test-share \S+ is not a number above 0 and below 1/,
    ]),
    [
      "a fraction of a fold",
      ["--data", good, "--format", "jsonl", "--folds", "2.7"],
      /--folds 2\.7 is not a whole/,
    ],
    [
      "a fraction of a seed",
      ["--data", good, "--format", "jsonl", "--seed", "1.5"],
      /--seed 1\.5 is not a whole/,
    ],
    [
      "a report that cannot be written",
      ["--data", good, "--format", "jsonl", "--report", log],
      /cannot be written/,
    ],
    ["a gate above 1", ["--data", good, "--format", "jsonl", "--min-f1", "90"], /--min-f1 90/],
  ])("%s gives one sentence and says by its exit code whose fault it is", (_, args, message) => {
    const { status, stderr } = run("evaluate", ...args);
    expect(status).toBe(stderr.includes("(LG_USAGE)") ? 2 : 1);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
