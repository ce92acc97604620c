import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { windowVectors } from "../../src/classify/window-vectors.ts";
import { loadBundle } from "../../src/model/bundle.ts";
import { readGolden } from "../../src/model/golden.ts";
import { withModel } from "../../src/pipeline/open-model.ts";
import { runCli, startCli } from "../support/cli.ts";
import { starterBundle } from "../support/data.ts";

const folder = mkdtempSync(join(tmpdir(), "logguardian-explain-"));
/** The lines of an anomalous window, as a bundle's trainer masked them; masking them again changes nothing. */
let lines: string[];
let file: string;
let threshold: number;

beforeAll(async () => {
  const bundle = await loadBundle(starterBundle);
  threshold = bundle.manifest.threshold;
  const golden = await readGolden(bundle);
  lines = golden.find((one) => one.margin > 2 && one.lines.length > 5 && one.lines.length < 60)?.lines ?? [];
  file = join(folder, "window.log");
  writeFileSync(file, `${lines.join("\n")}\n`);
});

const explained = async (...args: string[]) => {
  const { status, stdout, stderr } = await runCli(["explain", ...args]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
};

describe("explain", () => {
  it("gives each line its weight, says where the score crossed the threshold, and which lines suffice", async () => {
    const found = JSON.parse(await explained(file, "--json"));
    expect(found).toMatchObject({ key: file, verdict: "anomalous", threshold });
    const masked: string[] = found.lines.map((line: { masked: string }) => line.masked);
    await withModel({ bundleDir: starterBundle, evidence: false }, async ({ judge }) => {
      const prefixes = masked.map((_, place) => ({ masked: masked.slice(0, place + 1) }));
      const whole = await judge.judge(prefixes);
      for (const [place, line] of found.lines.entries())
        expect(line.score).toBeCloseTo(whole[place]?.score ?? -1, 6);
      expect(found.margin).toBe(whole.at(-1)?.margin);
      for (let place = found.crossedAt; place < masked.length; place++)
        expect(found.lines[place].score).toBeGreaterThanOrEqual(threshold);
      if (found.crossedAt > 0) expect(found.lines[found.crossedAt - 1].score).toBeLessThan(threshold);
      const verdictOf = async (places: number[]) =>
        (await judge.judge([{ masked: places.map((place) => masked[place] ?? "") }]))[0]?.verdict;
      const kept: number[] = found.sufficient;
      expect(await verdictOf(kept)).toBe("anomalous");
      if (kept.length > 1)
        for (const left of kept) expect(await verdictOf(kept.filter((one) => one !== left))).toBe("normal");
    });
  });

  it("weighs a line by what the question says where it does not see it, or by the window without it", async () => {
    const found = JSON.parse(await explained(file, "--json"));
    const leftOut = JSON.parse(await explained(file, "--json", "--leave-out"));
    const masked: string[] = found.lines.map((line: { masked: string }) => line.masked);
    await withModel({ bundleDir: starterBundle, evidence: false }, async ({ judge, scorer, embedder }) => {
      for (const line of leftOut.lines) {
        const [left] = await judge.judge([{ masked: masked.filter((other) => other !== line.masked) }]);
        expect(line.weight).toBe(found.margin - (left?.margin ?? 0));
        expect(leftOut.decisive.includes(leftOut.lines.indexOf(line))).toBe(left?.verdict === "normal");
      }
      expect(leftOut.decisive.length).toBeGreaterThan(0);
      // Nothing follows the last lines: there both are the same.
      const [vectors] = await windowVectors(embedder, [masked]);
      const window = vectors?.joined ?? new Float32Array(0);
      const places = [...masked.keys()];
      const ends = await scorer.scoreHidden(
        window,
        places.map((from) => places.slice(from)),
      );
      const alone = await scorer.score(
        places.slice(1).map((count) => window.subarray(0, count * scorer.width)),
      );
      expect(ends.slice(1)).toEqual(alone);
      const heaviest = ({ lines }: { lines: { weight: number; masked: string }[] }) =>
        lines.toSorted((a, b) => b.weight - a.weight)[0]?.masked;
      expect(heaviest(found)).toBe(heaviest(leftOut));
    });
  });

  it("says where no line decides, as in a session that was cut", async () => {
    const cut = join(folder, "cut.log");
    const receiving = "Receiving block <*> src: <*> dest: <*>";
    const failed = "writeBlock <*> received exception java.io.IOException: Could not read from stream";
    writeFileSync(cut, ["BLOCK* NameSystem.allocateBlock: <*> <*>", receiving, receiving, failed].join("\n"));
    expect(JSON.parse(await explained(cut, "--json"))).toMatchObject({ verdict: "anomalous", decisive: [] });
    expect(await explained(cut)).toContain("No single line decides it: ");
    expect(await explained(file)).not.toContain("No single line decides it: ");
  });

  it("prints the same for people", async () => {
    const text = await explained(file);
    expect(text).toMatch(/^ANOMALOUS .* \d+ lines {2}score 0\.\d{3} \(threshold 0\.4549\), starter/);
    for (const part of [
      "score  weight  line",
      "▶",
      "Enough for the verdict by themselves, none to spare: # ",
    ])
      expect(text).toContain(part);
    expect(text.split("\n").filter((row) => /^[ ▶] +\d+ {2}[01]\.\d{3} /.test(row)).length).toBe(
      lines.length,
    );
  });

  const verdict = {
    id: "i",
    key: "k",
    verdict: "anomalous",
    start: "2026-01-01T00:00:00.000Z",
    end: "2026-01-01T00:00:00.000Z",
    pipeline: "detect",
    fingerprint: "0011223344556677",
    model: { name: "another", version: "1" },
    lines: [{ text: "took 17 ms", masked: "took X ms" }],
  };

  it("reads what detect prints, from a pipe too, and masks again what another model has judged", async () => {
    const printed = join(folder, "verdicts.jsonl");
    writeFileSync(printed, `${JSON.stringify(verdict)}\n`);
    expect(JSON.parse(await explained(printed, "--json"))).toMatchObject({
      id: "i",
      lines: [{ masked: "took <*> ms" }],
    });
    expect(await explained("--patterns", printed)).toContain(
      `${verdict.fingerprint}  detect  1 window of 1 origin`,
    );
    const piped = startCli(["explain", "-", "--json"]);
    // What it waits for comes late, as from a command before it.
    setTimeout(() => piped.process.stdin.end(`${JSON.stringify(verdict)}\n`), 1_500);
    expect(JSON.parse((await piped.finished).stdout)).toMatchObject({ id: "i" });
  });

  it("groups verdicts by their fingerprint", async () => {
    const anomaly = (id: string, fingerprint: string, start: string, masked: string[], more = {}) => ({
      message: "m",
      event: { id, start, end: start },
      logguardian: {
        ...{
          verdict: "anomalous",
          revision: 1,
          pipeline: "p",
          key: id,
          score: 0.9,
          threshold: 0.5,
          fingerprint,
        },
        model: { name: "another", version: "1" },
        window: { lines: masked.length, closed: "gap" },
        lines: masked.map((text, place) => ({ text, masked: text, weight: place, host: `host of ${id}` })),
        ...more,
      },
    });
    const rows = [
      anomaly("a", "f", "2026-01-02T00:00:00.000Z", ["x", "only here", "y"]),
      anomaly("b", "f", "2026-01-01T00:00:00.000Z", ["y", "x"]),
      anomaly("c", "g", "2026-01-01T00:00:00.000Z", ["z"]),
      // Withdrawn since.
      anomaly("d", "f", "2026-01-01T00:00:00.000Z", ["w"]),
      anomaly("d", "f", "2026-01-01T00:00:00.000Z", ["w"], {
        verdict: "normal",
        revision: 2,
        early: "withdrawn",
      }),
    ];
    const topic = join(folder, "anomalies.jsonl");
    writeFileSync(topic, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const found = (await explained(topic, "--patterns", "--json"))
      .trim()
      .split("\n")
      .map((row) => JSON.parse(row).pattern);
    expect(found).toEqual([
      {
        ...{ fingerprint: "f", pipeline: "p", windows: 2, origins: 2, commonLines: ["y", "x"], newest: "a" },
        ...{ firstSeen: "2026-01-01T00:00:00.000Z", lastSeen: "2026-01-02T00:00:00.000Z" },
      },
      expect.objectContaining({ fingerprint: "g", windows: 1, commonLines: ["z"] }),
    ]);
    expect(await explained(topic, "--patterns")).toContain("f  p  2 windows of 2 origins");
  });

  it("says what it takes", async () => {
    writeFileSync(join(folder, "empty.log"), "\n");
    writeFileSync(join(folder, "broken.log"), `${JSON.stringify(verdict)}\n{"id":\n`);
    for (const [args, said] of [
      [[], "Give a verdict's id, a file, - for standard input, or --patterns."],
      [["no-such-file"], "no-such-file is neither a file nor the id of a verdict."],
      [[join(folder, "empty.log")], "holds no line"],
      [["--patterns", join(folder, "gone.log")], "cannot be read"],
      [["--patterns", file], "window.log, line 1, is no verdict"],
      [[join(folder, "broken.log")], "broken.log, line 2, is no verdict"],
    ] as const) {
      const { status, stderr } = await runCli(["explain", ...args]);
      expect(stderr).toContain(said);
      expect(status).toBe(args.at(-1)?.endsWith(".log") ? 1 : 2);
    }
  });
});
