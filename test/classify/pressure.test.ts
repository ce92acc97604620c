import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createJudge } from "../../src/classify/judge.ts";
import { type OpenModel, openModel } from "../../src/pipeline/open-model.ts";
import { changeManifest, putFile, starterCopy } from "../support/bundles.ts";
import { starterBundle } from "../support/data.ts";

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

  it("an encoder that fails leaves those undecided that were to be computed, and those known are judged", async () => {
    const { bundle, scorer, embedder } = model;
    let isBroken = false;
    const judge = createJudge(
      {
        bundle,
        scorer,
        embedder: {
          ...embedder,
          embed: (lines) => (isBroken ? Promise.reject(new Error("it ended")) : embedder.embed(lines)),
        },
      },
      { threshold: 0.5, evidence: false, rawOutput: false, cacheBytes: 2 ** 20 },
    );
    await judge.judge(windows.slice(0, 2));
    isBroken = true;
    const verdicts = (await judge.judge(windows)).map(({ verdict, reason }) => [
      verdict === "undecided",
      reason,
    ]);
    expect(verdicts).toEqual([
      [false, undefined],
      [false, undefined],
      [true, "LG_SCORER"],
    ]);
  });
});
