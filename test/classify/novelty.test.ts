import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contentOf } from "../../src/alert/content.ts";
import type { Judgement } from "../../src/classify/judgement.ts";
import { createNovelty } from "../../src/classify/novelty.ts";
import { loadBundle } from "../../src/model/bundle.ts";
import { readTrainingLines } from "../../src/model/novelty.ts";
import { detect } from "../../src/pipeline/detect-logs.ts";
import { type OpenModel, openModel } from "../../src/pipeline/open-model.ts";
import { anomalyOf } from "../../src/verdict/anomaly.ts";
import type { Verdict } from "../../src/verdict/verdict.ts";
import {
  changeManifest,
  noveltyFile,
  putFile,
  starterWithNovelty,
  starterWithoutNovelty,
} from "../support/bundles.ts";
import { jsonRows, runCli } from "../support/cli.ts";

const seen = ["Receiving block <*> src: <*> dest: <*>", "Deleting block <*> file <*>", "machine check <*>"];
const unseen = "the cat sat on the mat";

let plain: OpenModel;
let knowing: OpenModel;
let bundleDir: string;
const plainDir = starterWithoutNovelty();

beforeAll(async () => {
  plain = await openModel({ bundleDir: plainDir });
  bundleDir = starterWithNovelty(await plain.embedder.embed(seen));
  knowing = await openModel({ bundleDir });
});
afterAll(async () => {
  await plain.close();
  await knowing.close();
});

/** 1 - the greatest cosine to the seen lines, the slow way. */
async function expectedNovelty(line: string): Promise<number> {
  const [own, ...others] = await plain.embedder.embed([line, ...seen]);
  const dot = (a: Float32Array, b: Float32Array) =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
  const cosines = others.map((other) => {
    if (own === undefined) return 0;
    return dot(own, other) / Math.sqrt(dot(own, own) * dot(other, other));
  });
  return Math.max(0, 1 - Math.max(...cosines));
}

describe("novelty", () => {
  it("is 0 for lines of training, and the most unlike line's distance for others", async () => {
    const [known, mixed] = await knowing.judge.judge([{ masked: seen }, { masked: [...seen, unseen, "ok"] }]);
    expect(known).toMatchObject({ novelty: 0, lineNovelties: [0, 0, 0] });
    const expected = [0, 0, 0, await expectedNovelty(unseen), await expectedNovelty("ok")];
    expect(Math.max(...expected)).toBeGreaterThan(0.2);
    for (const [place, novelty] of (mixed?.lineNovelties ?? []).entries())
      expect(novelty).toBeCloseTo(expected[place] ?? NaN, 5);
    expect(mixed?.novelty).toBe(Math.max(...(mixed?.lineNovelties ?? [])));
  });

  it("changes no verdict, score or margin, and is absent where the bundle has none", async () => {
    const windows = [{ masked: seen }, { masked: [unseen] }, { masked: [] }];
    const without = await plain.judge.judge(windows);
    const withIt = await knowing.judge.judge(windows);
    for (const [place, judgement] of without.entries()) {
      expect(judgement).not.toHaveProperty("novelty");
      const { novelty: _, lineNovelties: __, ...rest } = withIt[place] as Judgement;
      expect(rest).toEqual(judgement);
    }
    expect(withIt[2]).not.toHaveProperty("novelty");
  });

  it("is the same cached and fresh", async () => {
    const uncached = await openModel({
      bundleDir,
      inference: { lineCacheBytes: 0, verdictCacheBytes: 0 },
    });
    const windows = [{ masked: [unseen, "ok"] }, { masked: ["ok", ...seen] }];
    const cached = await knowing.judge.judge(windows);
    expect(await knowing.judge.judge(windows)).toEqual(cached);
    for (const [place, window] of windows.entries())
      expect(await uncached.judge.judge([window])).toEqual([cached[place]]);
    await uncached.close();
  });

  it("covers the scored lines alone", async () => {
    const { maxLines } = knowing.bundle.manifest.window;
    const masked = [...new Array<string>(maxLines).fill(seen[0] ?? ""), unseen];
    const [judgement] = await knowing.judge.judge([{ masked }]);
    expect(judgement).toMatchObject({ novelty: 0, linesScored: maxLines });
  });

  it("lies between 0 and 2, and a vector of zeros is like nothing", async () => {
    const novelty = createNovelty({ count: 2, width: 2, vectors: Float32Array.of(3, 0, 0, 0) });
    const vectors = [
      [1, 0],
      [0, 5],
      [-2, 0],
      [0, 0],
    ].map((numbers) => Float32Array.from(numbers));
    // The second training line has no direction, so nothing is farther than 1 from it.
    expect(await novelty.of(vectors)).toEqual([0, 1, 1, 1]);
    const one = createNovelty({ count: 1, width: 2, vectors: Float32Array.of(3, 0) });
    expect(await one.of(vectors)).toEqual([0, 1, 2, 1]);
  });
});

describe("novelty is shown", () => {
  it("by detect(), whole and per line", async () => {
    const [found] = await detect([seen[0] ?? "", unseen], { bundleDir });
    expect(found?.novelty).toBeCloseTo(await expectedNovelty(unseen), 5);
    expect(found?.lineNovelties).toEqual([0, found?.novelty]);
    const [without] = await detect([unseen], { bundleDir: plainDir });
    expect(without).not.toHaveProperty("novelty");
  });

  it("by the command line", async () => {
    const args = ["detect", "-", "--window", "2", "--all", "--model", bundleDir];
    const [row] = jsonRows(await runCli(args, `${seen[2]}\n${unseen}\n`));
    expect(row.novelty).toBeCloseTo(await expectedNovelty(unseen), 5);
    expect(row.lines.map(({ novelty }: { novelty: number }) => novelty)).toEqual([0, row.novelty]);
  });

  it("in the anomaly document and in the alert", async () => {
    const [judgement] = await knowing.judge.judge([{ masked: [seen[0] ?? "", unseen] }]);
    const document = anomalyOf(verdictOf(judgement as Judgement, [seen[0] ?? "", unseen]));
    expect(document.logguardian.novelty).toBe(judgement?.novelty);
    expect(document.logguardian.lines.map(({ novelty }) => novelty)).toEqual(judgement?.lineNovelties);
    expect(contentOf(document, alertOptions).annotations.novelty).toContain(unseen);
    const [without] = await plain.judge.judge([{ masked: [unseen] }]);
    const bare = anomalyOf(verdictOf(without as Judgement, [unseen]));
    expect(bare.logguardian).not.toHaveProperty("novelty");
    expect(contentOf(bare, alertOptions).annotations).not.toHaveProperty("novelty");
  });
});

const alertOptions = { labels: {}, lines: "raw", criticalFrom: 0.95 } as const;

function verdictOf(judgement: Judgement, texts: string[]): Verdict {
  const lines = texts.map((text, offset) => ({
    position: { topic: "t", partition: 0, offset, index: 0 },
    time: 1_700_000_000_000,
    origin: { host: "a" },
    text,
    masked: text,
  }));
  const times = { start: 1_700_000_000_000, end: 1_700_000_000_000 };
  const window = {
    id: "id",
    pipeline: "p",
    key: "k",
    revision: 0,
    reason: "size",
    maskHash: "",
    ...times,
    lines,
  };
  return { ...judgement, window: window as Verdict["window"], model: { name: "starter", version: "1" } };
}

describe("a damaged novelty file", () => {
  const refused = async (content: Buffer) => {
    putFile(bundleDir, "novelty.bin", content);
    return readTrainingLines(await loadBundle(bundleDir));
  };
  const width = 192;
  const good = noveltyFile([new Float32Array(width).fill(1)]);

  it.each([
    ["another beginning", Buffer.concat([Buffer.from("LGXX"), good.subarray(4)]), "LGNV"],
    ["another version", noveltyFile([new Float32Array(width)], 2), "version 2"],
    ["another width", noveltyFile([new Float32Array(8)]), "8 numbers"],
    ["too few bytes", good.subarray(0, -4), "bytes"],
    ["no header", good.subarray(0, 7), "LGNV"],
    ["no line", noveltyFile([]), "0 numbers"],
    ["no finite number", noveltyFile([new Float32Array(width).fill(NaN)]), "not finite"],
  ])("of %s is refused with the reason", async (_, content, reason) => {
    await expect(refused(content)).rejects.toMatchObject({
      code: "LG_BUNDLE_NOVELTY",
      message: expect.stringContaining(reason),
    });
  });

  it("that is named but not listed is refused", async () => {
    changeManifest(bundleDir, ({ files }) => delete files["novelty.bin"]);
    await expect(loadBundle(bundleDir)).rejects.toMatchObject({ code: "LG_BUNDLE_MANIFEST" });
  });
});
