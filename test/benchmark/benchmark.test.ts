import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { createRandom } from "../../src/simulate/random.ts";
import { dataFile, root } from "../support/data.ts";

const folder = mkdtempSync(join(tmpdir(), "logguardian-benchmark-"));
const fault = "writeBlock <*> received exception java.io.IOException: Could not read from stream";

/** Three to eight lines of two kinds; every fourth window holds `line`, and is anomalous. */
function windows(count: number, seed: number, line: string): { label: number; lines: string[] }[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, place) => {
    const lines: string[] = Array.from({ length: 3 + random.below(6) }, () =>
      random.below(2) === 0
        ? "Receiving block <*> src: <*> dest: <*>"
        : "PacketResponder <*> for block <*> terminating",
    );
    const label = place % 4 === 0 ? 1 : 0;
    if (label === 1) lines[1] = line;
    return { label, lines };
  });
}

function write(name: string, rows: object[]): string {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
}

const normal = (seed: number) => windows(20, seed, fault).filter(({ label }) => label === 0);
const train = ["--train", write("train.jsonl", windows(80, 1, fault))];
const test = ["--test", write("test.jsonl", windows(32, 2, fault))];
const data = [...train, ...test];

function run(...args: string[]) {
  return spawnSync(process.execPath, [join(root, "bin/logguardian.js"), "benchmark", ...args], {
    encoding: "utf8",
  });
}

const benchmark = (...args: string[]) => run(...data, ...args);

/** A plug-in in shell. */
function script(name: string, text: string): string {
  const path = join(folder, `${name}.sh`);
  writeFileSync(path, text);
  return `${name}=sh ${path}`;
}

const ok = '{"score": 1, "anomalous": true}';

describe("benchmark", () => {
  it("sets methods of every kind side by side, and writes the report", () => {
    const report = join(folder, "report");
    const { status, stdout, stderr } = benchmark(
      ...["--methods", "bundle,unseen-template,unseen-counts,decision-tree", "--json", "--report", report],
      ...["--plugin", script("all", `while read -r _; do echo '${ok}'; done < "$2" > "$3"`)],
      ...["--plugin", `longest=python3 ${join(root, "docs/benchmark-plugin.py")}`],
    );
    expect(status, stderr).toBe(0);
    const [{ methods }] = JSON.parse(stdout).dataSets;
    const f1Of = Object.fromEntries(
      methods.map((method: { id: string; views: { metrics: { f1: number } }[] }) => [
        method.id,
        method.views[0]?.metrics.f1,
      ]),
    );
    // A quarter is anomalous, and `all` flags everything.
    expect(f1Of["decision-tree"]).toBe(1);
    expect(f1Of["unseen-template"]).toBe(1);
    expect(f1Of.all).toBeCloseTo((2 * 0.25) / 1.25);
    expect(Object.keys(f1Of)).toHaveLength(6);
    for (const file of ["report.md", "report.html", "metrics.json"]) {
      expect(readFileSync(join(report, file), "utf8")).toContain("longest");
    }
    expect(readFileSync(join(report, "report.html"), "utf8")).not.toMatch(/(src|href)="http/);
  });

  it("runs LogLLM's own loop with the bundle's weights on a sample, and it answers as the bundle does", () => {
    const { status, stdout, stderr } = benchmark(
      ...["--methods", "bundle,logllm", "--reference-windows", "6", "--json"],
    );
    expect(status, stderr).toBe(0);
    const [bundle, reference] = JSON.parse(stdout).dataSets[0].methods;
    expect(bundle.agreement).toBeNull();
    // No figures of quality from a sample.
    expect(reference).toMatchObject({ views: null, speed: { windows: 6 } });
    expect(reference.speed.extrapolatedSeconds).toBeGreaterThan(reference.speed.seconds);
    expect(reference.agreement).toMatchObject({ windows: 6, sameVerdict: 6 });
    // The trainer's tolerance for a bundle.
    expect(reference.agreement.largestDifference).toBeLessThan(0.05);
  });

  it("takes several data sets, split already or logs that it splits itself", () => {
    const log = ["--data", dataFile("bgl/BGL_2k.log"), "--format", "bgl", "--window"];
    const { status, stdout, stderr } = benchmark(
      ...[...log, "10", ...log, "20", "--split", "random", "--test-share", "0.25"],
      ...["--methods", "unseen-template", "--json"],
    );
    expect(status, stderr).toBe(0);
    const { dataSets } = JSON.parse(stdout);
    expect(dataSets.map(({ name }: { name: string }) => name)).toEqual(["test", "BGL_2k", "BGL_2k (2)"]);
    expect(dataSets[0]).toMatchObject({ train: { windows: 80, anomalous: 20 }, test: { windows: 32 } });
    expect(dataSets[1]).toMatchObject({ train: { windows: 150 }, test: { windows: 50, lines: 500 } });
    expect(dataSets[2]).toMatchObject({ train: { windows: 75 }, test: { windows: 25, lines: 500 } });
  });

  it.each([
    [
      "one that fails",
      "mine=echo out of luck >&2; exit 3",
      /method mine failed: out of luck\. .*--keep-going/,
    ],
    ["one that writes nothing", "mine=true", /method mine wrote no scores/],
    [
      "one that skips windows",
      script("mine", `echo '${ok}' > "$3"`),
      /method mine wrote 1 scores for \d+ windows/,
    ],
  ])("names a plug-in that is no good: %s", (_, command, says) => {
    const { status, stderr } = benchmark("--methods", "unseen-template", "--plugin", command);
    expect(stderr).toMatch(says);
    expect(status).toBe(1);
  });

  it("leaves out what fails where it is told to, and says so by its exit code", () => {
    const { status, stdout } = benchmark(
      ...["--methods", "unseen-template,unseen-counts", "--keep-going", "--plugin", "mine=exit 3", "--json"],
    );
    expect(status).toBe(1);
    const [{ methods, leftOut }] = JSON.parse(stdout).dataSets;
    expect(methods).toHaveLength(2);
    expect(leftOut).toMatchObject([{ name: "mine" }]);
  });

  it("takes its files and the method under way with it when it is ended", async () => {
    const started = join(folder, "started");
    const child = spawn(
      process.execPath,
      [join(root, "bin/logguardian.js"), "benchmark", ...data, "--methods", "unseen-template"].concat(
        ...[
          "--plugin",
          script(
            "slow",
            `echo "$$ $1" > ${started}.partial; mv ${started}.partial ${started}; exec sleep 100`,
          ),
        ],
      ),
      { stdio: "ignore" },
    );
    const ended = once(child, "close");
    await vi.waitUntil(() => existsSync(started), { timeout: 60_000, interval: 50 });
    const [id, path = ""] = readFileSync(started, "utf8").trim().split(" ");
    expect(existsSync(path)).toBe(true);
    child.kill("SIGTERM");
    expect(await ended).toEqual([143, null]);
    expect(existsSync(dirname(path))).toBe(false);
    await vi.waitUntil(() => !existsSync(`/proc/${id}/exe`), { timeout: 10_000 });
  });

  it.each([
    ["an unknown method", [...data, "--methods", "magic"], 2, /--methods magic is not known/],
    ["a plug-in without a name", [...data, "--plugin", "x"], 2, /--plugin x has no name and command/],
    ["no window to learn from", [...data, "--test-share", "1"], 2, /--test-share 1 is not a number above 0/],
    ["half a thread", [...data, "--threads", "1.5"], 2, /--threads 1\.5 is not a whole number/],
    ["a log without its format", ["--data", "/nowhere.log"], 2, /--data \/nowhere\.log has no --format/],
    ["a test file of no data set", ["--test", "b.jsonl"], 2, /--test b\.jsonl belongs to no data set/],
    ["a missing file", ["--train", "/nowhere.jsonl", ...test], 1, /\/nowhere\.jsonl/],
    ["an empty file", ["--train", write("empty.jsonl", []), ...test], 1, /empty\.jsonl holds no window/],
    [
      "a row that is no window",
      [...train, "--test", write("broken.jsonl", [{ label: 2, lines: ["a"] }])],
      1,
      /broken\.jsonl.*1/,
    ],
    [
      "only normal windows to learn from, for a classifier",
      ["--train", write("normal.jsonl", normal(5)), ...test, "--methods", "decision-tree"],
      1,
      /method decision-tree failed: The training windows hold only one label/,
    ],
    [
      "only normal windows to test",
      [...train, "--test", write("all-normal.jsonl", normal(6))],
      1,
      /All windows tested of all-normal are normal: recall/,
    ],
  ])("refuses %s in one sentence", (_, args, code, says) => {
    const { status, stderr } = run("--methods", "unseen-template", ...args);
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(status).toBe(code);
  });
});
