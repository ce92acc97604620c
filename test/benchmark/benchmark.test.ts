import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/simulate/random.ts";
import { root } from "../support/data.ts";

const folder = mkdtempSync(join(tmpdir(), "logguardian-benchmark-"));
const fault = "writeBlock <*> received exception java.io.IOException: Could not read from stream";

/** Three to eight lines of two kinds; every fourth window holds a fault that training never held where `fault` says so. */
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

const data = [
  "--train",
  write("train.jsonl", windows(80, 1, fault)),
  "--test",
  write("test.jsonl", windows(32, 2, fault)),
];

function benchmark(...args: string[]) {
  return spawnSync(process.execPath, [join(root, "bin/logguardian.js"), "benchmark", ...data, ...args], {
    encoding: "utf8",
  });
}

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

  it.each([
    [["--methods", "magic"], 2, /--methods magic is not known/],
    [["--plugin", "nameless"], 2, /--plugin nameless has no name and command/],
    [
      ["--train", "/nowhere.jsonl", "--test", "/nowhere.jsonl", "--methods", "unseen-template"],
      1,
      /nowhere\.jsonl/,
    ],
    [["--data", "/nowhere.log"], 2, /--format/],
  ])("refuses %j", (args, code, says) => {
    const { status, stderr } = benchmark(...args);
    expect(stderr).toMatch(says);
    expect(status).toBe(code);
  });
});
