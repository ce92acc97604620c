import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkGolden } from "../../src/classify/parity.ts";
import { quantize } from "../../src/classify/quantize.ts";
import { createScorer } from "../../src/classify/scorer.ts";
import { LogGuardianError } from "../../src/errors.ts";
import { loadBundle } from "../../src/model/bundle.ts";
import { type GoldenWindow, readGolden } from "../../src/model/golden.ts";
import { type OpenModel, openModel } from "../../src/pipeline/open-model.ts";
import { putFile, starterCopy } from "../support/bundles.ts";
import { starterBundle } from "../support/data.ts";

let model: OpenModel;
let golden: GoldenWindow[];
let vectors: Float32Array[];

beforeAll(async () => {
  model = await openModel({ bundleDir: starterBundle });
  golden = await readGolden(model.bundle);
  vectors = await Promise.all(golden.map(({ lines }) => joined(lines)));
});
afterAll(() => model.close());

async function joined(lines: string[]): Promise<Float32Array> {
  const embedded = await model.embedder.embed(lines);
  const window = new Float32Array(lines.length * model.embedder.width);
  for (const [place, vector] of embedded.entries()) window.set(vector, place * model.embedder.width);
  return window;
}

describe("the starter bundle", () => {
  it("gives the trainer's margins within the manifest's tolerance", async () => {
    const parity = await checkGolden(model.bundle, model.embedder, model.scorer);
    expect(parity.windows).toBeGreaterThanOrEqual(100);
  });

  it("has golden windows on both sides of the threshold", async () => {
    const judgements = await model.judge.judge(golden.map(({ lines }) => ({ masked: lines })));
    expect(new Set(judgements.map(({ verdict }) => verdict))).toEqual(new Set(["normal", "anomalous"]));
  });
});

describe("a window's margin", () => {
  it("is the same bits alone, in a batch and in another order", async () => {
    const together = await model.scorer.score(vectors);
    const reversed = (await model.scorer.score([...vectors].reverse())).reverse();
    expect(reversed).toEqual(together);
    for (const [place, window] of vectors.entries()) {
      expect(await model.scorer.score([window])).toEqual([together[place]]);
    }
  });

  it("is the same bits when its lines are embedded anew", async () => {
    const other = await openModel({
      bundleDir: starterBundle,
      inference: { lineCacheBytes: 0, verdictCacheBytes: 0 },
    });
    const windows = golden.slice(0, 40).map(({ lines }) => ({ masked: lines }));
    const cached = await model.judge.judge(windows);
    for (const [place, window] of windows.entries()) {
      const [fresh] = await other.judge.judge([window]);
      expect(fresh?.margin).toBe(cached[place]?.margin);
    }
    await other.close();
  });

  it("after all lines is that of the last prefix", async () => {
    const [window] = vectors.slice(-1);
    const lines = (window?.length ?? 0) / model.scorer.width;
    const [all] = await model.scorer.scorePrefixes(window ?? new Float32Array(0), [lines]);
    expect(await model.scorer.score([window ?? new Float32Array(0)])).toEqual([all]);
  });

  it.each(["f16", "q8_0", "q4_0"] as const)(
    "of one line is that of its only prefix, in %s: no row is computed alone",
    async (type) => {
      const dir = starterCopy();
      const path = join(dir, "llama.gguf");
      const how = { type, threads: 1, requantize: false };
      await quantize(join(starterBundle, "llama.gguf"), `${path}.new`, how);
      putFile(dir, "llama.gguf", readFileSync(`${path}.new`));
      const options = { gpuLayers: 0, threads: 1, maxWindows: 4 };
      const scorer = await createScorer(await loadBundle(dir), options);
      const lines = [...new Set(golden.flatMap((window) => window.lines))].slice(0, 60);
      const windows = await model.embedder.embed(lines);
      const prefixes = await Promise.all(windows.map((window) => scorer.scorePrefixes(window, [1])));
      expect(prefixes.flat()).toEqual(await scorer.score(windows));
      await scorer.close();
    },
  );
});

describe("one bad window", () => {
  it("is refused with its reason and spoils no other", async () => {
    const [good = new Float32Array(0)] = vectors;
    const broken = new Float32Array(good).fill(Number.NaN, 0, 1);
    const [first, empty, poisoned, last] = await model.scorer.score([
      good,
      new Float32Array(0),
      broken,
      good,
    ]);
    expect(empty).toMatchObject({ code: "LG_WINDOW_EMPTY" });
    expect(poisoned).toMatchObject({ code: "LG_EMBEDDING_NOT_FINITE" });
    expect(last).toEqual(first);
    expect(first).toHaveProperty("normal");
  });

  it("is undecided, never normal", async () => {
    const [judgement] = await model.judge.judge([{ masked: [] }]);
    expect(judgement).toMatchObject({ verdict: "undecided", score: null, reason: "LG_WINDOW_EMPTY" });
  });
});

describe("evidence", () => {
  it("is there for anomalous windows alone: how much lower the margin is unseen, each line with its equals", async () => {
    const judgements = await model.judge.judge(golden.map(({ lines }) => ({ masked: lines })));
    let explained = 0;
    for (const [place, { verdict, weights, margin }] of judgements.entries()) {
      expect(weights !== undefined).toBe(verdict === "anomalous");
      if (weights === undefined || explained++ > 10) continue;
      const { lines } = golden[place] ?? { lines: [] };
      expect(weights.length).toBe(lines.length);
      for (const line of new Set(lines)) {
        const places = [...lines.keys()].filter((at) => lines[at] === line);
        const [left] = await model.scorer.scoreHidden(vectors[place] ?? new Float32Array(0), [places]);
        for (const at of places)
          expect(weights[at]).toBe((margin ?? 0) - ((left?.anomalous ?? 0) - (left?.normal ?? 0)));
      }
    }
    expect(explained).toBeGreaterThan(0);
  });
});

describe("a damaged bundle", () => {
  const broken = (change: (dir: string) => void) => {
    const dir = mkdtempSync(join(tmpdir(), "logguardian-bundle-"));
    cpSync(starterBundle, dir, { recursive: true });
    change(dir);
    return loadBundle(dir);
  };
  const manifest = (dir: string, change: (content: Record<string, unknown>) => void) => {
    const content = JSON.parse(readFileSync(join(dir, "manifest.json"), "utf8"));
    change(content);
    writeFileSync(join(dir, "manifest.json"), JSON.stringify(content));
  };

  it("is refused with the reason", async () => {
    await expect(loadBundle("/nowhere")).rejects.toMatchObject({ code: "LG_BUNDLE_MISSING" });
    await expect(broken((dir) => writeFileSync(join(dir, "golden.jsonl"), "x"))).rejects.toMatchObject({
      code: "LG_BUNDLE_CHECKSUM",
    });
    await expect(broken((dir) => manifest(dir, (content) => (content.format = 9)))).rejects.toMatchObject({
      code: "LG_BUNDLE_FORMAT",
    });
    const missing = broken((dir) => manifest(dir, (content) => delete content.threshold));
    await expect(missing).rejects.toMatchObject({ code: "LG_BUNDLE_MANIFEST" });
    await expect(missing).rejects.toThrow(LogGuardianError);
  });
});
