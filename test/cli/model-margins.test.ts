import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { jsonRows, runCli } from "../support/cli.ts";
import { starterBundle } from "../support/data.ts";

const golden = readFileSync(join(starterBundle, "golden.jsonl"), "utf8").trim().split("\n").slice(0, 12);

describe("model margins", () => {
  it("answers every row in order, within the manifest's tolerance of the trainer's margin", async () => {
    const rows = jsonRows(await runCli(["model", "margins", starterBundle], golden.join("\n")));
    expect(rows.length).toBe(golden.length);
    for (const [place, { margin, normal, anomalous }] of rows.entries()) {
      expect(margin).toBe(anomalous - normal);
      expect(Math.abs(margin - JSON.parse(golden[place] ?? "").margin)).toBeLessThan(0.05);
    }
  });

  it("gives each window the margin that it has alone, and passes over blank rows", async () => {
    const input = [golden[0], "", golden[1]].join("\n");
    const [first, second] = jsonRows(await runCli(["model", "margins"], input));
    expect([first]).toEqual(jsonRows(await runCli(["model", "margins"], golden[0])));
    expect([second]).toEqual(jsonRows(await runCli(["model", "margins"], golden[1])));
  });

  it("shows the way to the margin: the encoder's tokens and the first numbers of each line's vector", async () => {
    const [row] = jsonRows(
      await runCli(["model", "margins", "--trace"], '{"lines":["machine check <*>","ok"]}'),
    );
    expect(row.tokens).toEqual([
      [101, 3698, 4638, 1026, 1008, 1028, 102],
      [101, 7929, 102],
    ]);
    expect(row.embeddings.map((numbers: number[]) => numbers.length)).toEqual([8, 8]);
    expect(row.embeddings[0]).not.toEqual(row.embeddings[1]);
  });

  it("names the row that is no window", async () => {
    for (const bad of ["nonsense", '{"lines":"one"}', '{"lines":[1]}', '{"lines":[]}', "null"]) {
      const { status, stderr } = await runCli(["model", "margins"], `${golden[0]}\n${bad}\n`);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^standard input, line 2 .*LG_DATASET_ROW/);
    }
  });
});
