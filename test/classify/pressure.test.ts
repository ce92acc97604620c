import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createJudge, type JudgeOptions } from "../../src/classify/judge.ts";
import { openLlama } from "../../src/classify/llama-runtime.ts";
import { createScorer, scorerOn } from "../../src/classify/scorer.ts";
import { windowVectors } from "../../src/classify/window-vectors.ts";
import type { Embedder } from "../../src/embed/embedder.ts";
import { loadBundle } from "../../src/model/bundle.ts";
import { readGolden } from "../../src/model/golden.ts";
import { type OpenModel, openModel } from "../../src/pipeline/open-model.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { changeManifest, putFile, starterCopy, starterThatOverflows } from "../support/bundles.ts";
import { starterBundle } from "../support/data.ts";

const plainly: JudgeOptions = { threshold: 0.5, evidence: true, rawOutput: false, cacheBytes: 0 };

/** What was logged at WARN. */
function warnings() {
  const told: { event: string; fields: Record<string, unknown> }[] = [];
  const warn = (event: string, fields = {}) => void told.push({ event, fields });
  return { told, logger: { ...silentLogger, warn } };
}

const isLinux = process.platform === "linux";

describe("a language model that cannot be used", () => {
  const opening = (bundleDir: string, inference = {}) => openModel({ bundleDir, inference });
  const llama = readFileSync(join(starterBundle, "llama.gguf"));

  it("of another architecture is refused, and named", async () => {
    const dir = starterCopy();
    const other = Buffer.from(llama);
    const name = other.indexOf("llama", other.indexOf("general.architecture"));
    other.write("gpt-x", name);
    putFile(dir, "llama.gguf", other);
    await expect(opening(dir)).rejects.toMatchObject({ code: "LG_MODEL_LOAD", message: /llama\.gguf/ });
  });

  it("with an adapter that does not fit is refused", async () => {
    const dir = starterCopy();
    changeManifest(dir, (manifest) => (manifest.llama.adapter = "adapter.gguf"));
    putFile(dir, "adapter.gguf", llama);
    await expect(opening(dir)).rejects.toMatchObject({ code: "LG_MODEL_LOAD", message: /adapter/ });
  });

  it("whose cache cannot be made is refused, and what to do is said", async () => {
    await expect(opening(starterBundle, { batchSize: 100_000 })).rejects.toMatchObject({
      code: "LG_MODEL_LOAD",
      message: /cannot make a context/,
      remedy: /memory/,
    });
  });

  it.runIf(isLinux)("leaves nothing of it in memory", async () => {
    const refused = async (code: string, dir: string) => {
      const options = { gpuLayers: 0, threads: 1, maxWindows: 2 };
      await expect(loadBundle(dir).then((bundle) => createScorer(bundle, options))).rejects.toMatchObject({
        code,
      });
      expect(readFileSync("/proc/self/maps", "utf8")).not.toContain(dir);
    };
    const otherPrompt = starterCopy();
    changeManifest(otherPrompt, ({ prompt }) => prompt.after.ids.reverse());
    await refused("LG_BUNDLE_PROMPT", otherPrompt);
    const otherWidth = starterCopy();
    changeManifest(otherWidth, ({ embedder }) => (embedder.width = 64));
    await refused("LG_BUNDLE_WIDTH", otherWidth);
    const noNumbers = starterCopy();
    putFile(noNumbers, "llama.gguf", Buffer.from(llama).fill(0xff, llama.length - 100_000));
    await refused("LG_NATIVE_PARITY", noNumbers);
  });
});

describe("a window that the language model answers with no number", () => {
  let model: OpenModel;
  let embedder: Embedder;
  beforeAll(async () => {
    const { dir, place } = await starterThatOverflows();
    model = await openModel({ bundleDir: dir, inference: { batchSize: 4, liveWindows: 2 } });
    embedder = {
      ...model.embedder,
      embed: async (lines) =>
        (await model.embedder.embed(lines)).map((vector, line) =>
          vector.with(place, lines[line]?.startsWith("huge") ? 1 : 0),
        ),
    };
  });
  afterAll(() => model.close());

  const window = (...words: string[]) => ({ masked: words.map((word) => `${word} line`) });
  const good = [window("one", "two"), window("three", "four"), window("five", "six")];

  it("is undecided, never normal, and spoils none beside or after it", async () => {
    const { told, logger } = warnings();
    const judge = createJudge({ ...model, embedder, logger }, plainly);
    const alone = await judge.judge(good);
    expect(alone.every(({ score }) => Number.isFinite(score))).toBe(true);
    const [first, bad, ...others] = await judge.judge([
      ...good.slice(0, 1),
      window("huge", "two"),
      ...good.slice(1),
    ]);
    expect(bad).toMatchObject({ verdict: "undecided", score: null, reason: "LG_LOGITS_NOT_FINITE" });
    expect([first, ...others]).toEqual(alone);
    expect(await judge.judge(good)).toEqual(alone);
    expect(told).toEqual([
      {
        event: "Windows are undecided: they could not be judged.",
        fields: { windows: 1, code: "LG_LOGITS_NOT_FINITE", error: expect.stringContaining("not finite") },
      },
    ]);
  });

  it("has no explanation, and spoils none after it", async () => {
    const { scorer } = model;
    const [fine = new Float32Array(0), bad = new Float32Array(0)] = await Promise.all(
      ["one line", "huge line"].map(async (line) => (await embedder.embed([line]))[0]),
    );
    const before = await scorer.scoreHidden(fine, [[], [0]]);
    await expect(scorer.scoreHidden(bad, [[]])).rejects.toMatchObject({ code: "LG_LOGITS_NOT_FINITE" });
    expect(await scorer.scoreHidden(fine, [[], [0]])).toEqual(before);
  });

  it("does not take from those that go on what they are", async () => {
    const { scorer, bundle } = model;
    const join = async (count: number, first: string) => {
      const lines = await embedder.embed(Array.from({ length: count }, (_, at) => `${first} line ${at}`));
      return Float32Array.from(lines.flatMap((vector) => [...vector]));
    };
    const [bad, whole] = [await join(2, "huge"), await join(5, "one")];
    const expected = await scorer.score([whole]);
    const live = { id: "w", isLast: false };
    await scorer.score([whole.slice(0, 4 * bundle.manifest.embedder.width)], [live]);
    // Of unlike sizes: the bad one is decoded before.
    const [undone, found] = await scorer.score([bad, whole], [undefined, live]);
    expect(undone).toMatchObject({ code: "LG_LOGITS_NOT_FINITE" });
    expect([found]).toEqual(expected);
  });
});

describe("in the middle of a batch", () => {
  let model: OpenModel;
  beforeAll(async () => {
    model = await openModel({ bundleDir: starterBundle });
  });
  afterAll(() => model.close());

  const windows = ["one", "two", "three"].map((word) => ({ masked: [`${word} line`, `${word} more`] }));

  it("a line whose vector is not finite leaves its window undecided, and no other", async () => {
    const { bundle, scorer, embedder } = model;
    const judge = createJudge(
      {
        bundle,
        scorer,
        embedder: {
          ...embedder,
          embed: async (lines) =>
            (await embedder.embed(lines)).map((vector, place) =>
              lines[place] === "two more" ? new Float32Array(vector.length).fill(Number.NaN) : vector,
            ),
        },
      },
      { threshold: 0.5, evidence: true, rawOutput: false, cacheBytes: 0 },
    );
    const [first, second, third] = await judge.judge(windows);
    expect(second).toMatchObject({ verdict: "undecided", reason: "LG_EMBEDDING_NOT_FINITE" });
    const [alone, , other] = await model.judge.judge(windows);
    expect([first?.margin, third?.margin]).toEqual([alone?.margin, other?.margin]);
  });

  it("a line that the encoder cannot take leaves its window undecided, and no other, and the reason is told", async () => {
    const dir = starterCopy();
    const tokenizer = readFileSync(join(dir, "tokenizer.json"), "utf8");
    putFile(dir, "tokenizer.json", tokenizer.replace(/"beethoven":\d+/, '"beethoven":1000000'));
    const { told, logger } = warnings();
    const other = await openModel({ bundleDir: dir }, { logger });
    const asked = [windows[0], { masked: ["beethoven plays", "two more"] }, windows[2]].flatMap(
      (one) => one ?? [],
    );
    const [first, second, third] = await other.judge.judge(asked);
    expect(second).toMatchObject({ verdict: "undecided", reason: "LG_EMBED_FAILED" });
    const [alone, , last] = await model.judge.judge(windows);
    expect([first?.margin, third?.margin]).toEqual([alone?.margin, last?.margin]);
    expect(told).toMatchObject([
      { fields: { windows: 1, code: "LG_EMBED_FAILED", error: expect.stringContaining("1000000") } },
    ]);
    await other.close();
  });

  it("a part of the model that has ended judges no window by what is left", async () => {
    for (const part of ["embedder", "scorer"] as const) {
      const other = await openModel({ bundleDir: starterBundle });
      await other.judge.judge(windows.slice(0, 1));
      await other[part].close();
      const asking = other.judge.judge(windows);
      await expect(asking).rejects.toMatchObject({ code: "LG_MODEL_ENDED" });
      // What the cache knows needs neither.
      expect((await other.judge.judge(windows.slice(0, 1)))[0]?.verdict).not.toBe("undecided");
      await other.embedder.close();
      if (part === "embedder") await other.scorer.close();
    }
  });

  it("a cache that has lost its prompt answers nobody any more", async () => {
    const runtime = await openLlama(model.bundle, { gpuLayers: 0, threads: 1, maxWindows: 2 });
    let failing = 0;
    const engine = new Proxy(runtime.engine, {
      get(engine, name) {
        if (name === "run" && failing-- > 0) return () => Promise.reject(new Error("no room"));
        const found = Reflect.get(engine, name);
        return typeof found === "function" ? found.bind(engine) : found;
      },
    });
    const scorer = await scorerOn({ ...runtime, engine }, model.bundle);
    const { masked } = windows[0] ?? { masked: [] };
    const [vectors] = await windowVectors(model.embedder, [masked]);
    const window = vectors?.joined ?? new Float32Array(0);
    expect((await scorer.score([window]))[0]).toHaveProperty("normal");
    // The window, and the prompt that is to be computed again.
    failing = 2;
    for (const _ of ["then", "and later"])
      await expect(scorer.score([window])).rejects.toMatchObject({ code: "LG_MODEL_ENDED" });
    await scorer.close();
  });

  it("an anomaly whose weights cannot be had stays one, without them", async () => {
    const [worst] = (await readGolden(model.bundle)).toSorted((a, b) => b.margin - a.margin);
    const masked = worst?.lines ?? [];
    const { told, logger } = warnings();
    const scorer = { ...model.scorer, scoreHidden: () => Promise.reject(new Error("no room")) };
    const judge = createJudge({ ...model, scorer, logger }, plainly);
    const [found] = await judge.judge([{ masked }]);
    const without = createJudge(model, { ...plainly, evidence: false });
    expect(found).toEqual((await without.judge([{ masked }]))[0]);
    expect(found?.verdict).toBe("anomalous");
    expect(told).toEqual([
      {
        event: "The weights of an anomalous window's lines cannot be computed.",
        fields: { error: "no room" },
      },
    ]);
  });

  it("an answer in words that cannot be had is left out", async () => {
    let asked = 0;
    const scorer: OpenModel["scorer"] = {
      ...model.scorer,
      answer: (window) =>
        asked++ === 0 ? Promise.reject(new Error("no room")) : model.scorer.answer(window),
    };
    const { told, logger } = warnings();
    const judge = createJudge({ ...model, scorer, logger }, { ...plainly, rawOutput: true });
    const answers = (await judge.judge(windows)).map(({ verdict, answer }) => [verdict, typeof answer]);
    const verdicts = (await model.judge.judge(windows)).map(({ verdict }) => verdict);
    expect(answers).toEqual(
      verdicts.map((verdict, place) => [verdict, place === 0 ? "undefined" : "string"]),
    );
    expect(told.length).toBe(1);
  });
});
