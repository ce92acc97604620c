import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { changeManifest, putFile, starterCopy, temporaryFolder } from "../support/bundles.ts";
import { runCli } from "../support/cli.ts";
import { starterBundle } from "../support/data.ts";

const data = join(temporaryFolder(), "windows.jsonl");
let other: string;
let quantized: string;
let source: string;

beforeAll(async () => {
  const rows = readFileSync(join(starterBundle, "golden.jsonl"), "utf8").trim().split("\n").slice(0, 40);
  // Labelled by the starter's own verdicts on the trainer's margins.
  const { calibration, threshold } = JSON.parse(readFileSync(join(starterBundle, "manifest.json"), "utf8"));
  const labelled = rows.map((row) => {
    const { lines, margin } = JSON.parse(row);
    const score = 1 / (1 + Math.exp(-(calibration.scale * margin + calibration.shift)));
    return JSON.stringify({ lines, label: score >= threshold ? 1 : 0 });
  });
  writeFileSync(data, labelled.join("\n"));
  source = join(starterBundle, "llama.gguf");
  quantized = join(temporaryFolder(), "q4_0.gguf");
  const made = await runCli(["model", "quantize", source, quantized, "--type", "q4_0"]);
  expect(made).toMatchObject({ status: 0, stdout: expect.stringContaining("q4_0") });
  other = starterCopy();
  putFile(other, "llama.gguf", readFileSync(quantized));
  // Every margin becomes a high score: B calls all of them anomalous.
  changeManifest(other, (manifest) => (manifest.calibration.shift = 50));
});

describe("model compare", () => {
  it("counts agreement, and shows the windows where it is least with the lines that made it", async () => {
    const args = ["model", "compare", starterBundle, other, "--data", data, "--top", "3", "--json"];
    const report = JSON.parse((await runCli(args)).stdout);
    const { confusion } = report;
    expect(report.windows).toBe(40);
    expect(confusion.normal.normal).toBe(0);
    expect(confusion.normal.anomalous).toBeGreaterThan(0);
    expect(confusion.normal.anomalous + confusion.anomalous.anomalous).toBe(40);
    expect(report.agreement).toBeCloseTo(confusion.anomalous.anomalous / 40);
    expect(report.marginCorrelation).toBeGreaterThan(0.9);
    expect(report.marginCorrelation).toBeLessThan(1);
    expect(report.labelled.a.f1).toBe(1);
    expect(report.labelled.b.recall).toBe(1);
    expect(report.labelled.b.precision).toBeLessThan(1);
    expect(report.disagreements.length).toBe(3);
    for (const { a, b, label } of report.disagreements) {
      expect([a.verdict, b.verdict, label]).toEqual(["normal", "anomalous", 0]);
      expect(b.heaviest[0].weight).toBeGreaterThan(0);
    }
  });

  it("finds a bundle to agree with itself", async () => {
    const { stdout } = await runCli(["model", "compare", starterBundle, starterBundle, "--data", data]);
    expect(stdout).toContain("100.00 % with one verdict; correlation of the margins 1.0000");
    expect(stdout).not.toContain("row ");
  });

  it("refuses data without a window", async () => {
    const empty = join(temporaryFolder(), "empty.jsonl");
    writeFileSync(empty, "\n");
    const { status, stderr } = await runCli(["model", "compare", starterBundle, other, "--data", empty]);
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("LG_DATASET_EMPTY"),
    });
  });

  it("refuses a window without a line, by its row", async () => {
    const rows = join(temporaryFolder(), "rows.jsonl");
    writeFileSync(rows, '{"lines":["ok"]}\n{"label":0,"lines":[]}\n');
    const { status, stderr } = await runCli(["model", "compare", starterBundle, other, "--data", rows]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/rows\.jsonl, line 2 has no "lines" with at least one text.*LG_DATASET_ROW/);
  });
});

describe("model quantize", () => {
  it("makes a smaller file, whose margins the comparison above shows to be near", () => {
    expect(readFileSync(quantized).length).toBeLessThan(readFileSync(source).length / 2);
  });

  it("warns of q4_1, and refuses what is quantised, what is no GGUF and what is there", async () => {
    const target = join(temporaryFolder(), "x.gguf");
    const quantize = (from: string, to: string, ...more: string[]) =>
      runCli(["model", "quantize", from, to, "--type", "q4_1", ...more]);
    for (const [from, to] of [
      [quantized, target],
      [join(starterBundle, "tokenizer.json"), target],
      [source, quantized],
      ["/nowhere.gguf", target],
    ] as const) {
      const { status, stderr } = await quantize(from, to);
      expect(status).toBe(1);
      expect(stderr).toContain("LG_QUANTIZE");
    }
    const { status, stderr } = await quantize(quantized, target, "--allow-requantize");
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining("slower") });
  });
});
