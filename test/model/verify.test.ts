import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { checkGolden } from "../../src/classify/parity.ts";
import { availableProviders } from "../../src/embed/providers.ts";
import type { GoldenWindow } from "../../src/model/golden.ts";
import type { Manifest } from "../../src/model/manifest.ts";
import { withModel } from "../../src/pipeline/open-model.ts";
import { changeManifest, putFile, starterCopy } from "../support/bundles.ts";
import { jsonRows, runCli } from "../support/cli.ts";
import { starterBundle } from "../support/data.ts";

let golden: GoldenWindow[];
beforeAll(async () => {
  const input = readFileSync(join(starterBundle, "golden.jsonl"), "utf8").split("\n").slice(0, 4).join("\n");
  const traced = jsonRows(await runCli(["model", "margins", "--trace"], input));
  golden = input.split("\n").map((row, place) => ({ ...JSON.parse(row), ...traced[place] }));
});

/** Checks a bundle with these golden windows, as `model verify` does. */
async function check(
  change: (rows: GoldenWindow[]) => void,
  manifest: (content: Manifest) => void = () => {},
) {
  const rows = structuredClone(golden);
  change(rows);
  const dir = starterCopy();
  putFile(dir, "golden.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  changeManifest(dir, manifest);
  return withModel({ bundleDir: dir }, ({ bundle, embedder, scorer }) =>
    checkGolden(bundle, embedder, scorer),
  );
}

describe("a bundle's parity", () => {
  it("covers tokens and embeddings where the golden rows tell them", async () => {
    expect(await check(() => undefined)).toMatchObject({ windows: 4, traced: 4, worst: 0 });
  });

  it.each<[string, (rows: GoldenWindow[]) => void, RegExp]>([
    ["tokens", (rows) => rows[0]?.tokens?.[0]?.splice(1, 1, 7), /^The tokens of "Receiving block/],
    [
      "embedding",
      (rows) => rows[1]?.embeddings?.[0]?.splice(3, 1, 99),
      /^The embedding of "Receiving block.*place 3/,
    ],
    ["logits", (rows) => void rows.map((row) => (row.margin += 1)), /up to 1\.0000.*so the logits differ/],
  ])("names %s as the part that differs", async (_, change, message) => {
    await expect(check(change)).rejects.toMatchObject({
      code: "LG_BUNDLE_PARITY",
      message: expect.stringMatching(message),
    });
  });

  // Without a margin: no number is within any tolerance.
  it.each<[string, Record<string, unknown>, RegExp]>([
    ["without a margin", { margin: undefined }, /golden\.jsonl cannot be read: line 2 has no "margin"/],
    ["without a line", { lines: [] }, /golden\.jsonl cannot be read: line 2 has no "lines"/],
    ["of what is no text", { lines: [7] }, /golden\.jsonl cannot be read: line 2 has no "lines"/],
  ])("refuses a golden window %s, by its line", async (_, change, message) => {
    await expect(check((rows) => void Object.assign(rows[1] ?? {}, change))).rejects.toMatchObject({
      code: "LG_BUNDLE_GOLDEN",
      message: expect.stringMatching(message),
    });
  });

  it.each<[string, (content: Manifest) => void, string]>([
    ["another prompt", ({ prompt }) => (prompt.after.text = " The order is"), "LG_BUNDLE_PROMPT"],
    ["another vocabulary", ({ verdict }) => (verdict.normal.id = 12), "LG_BUNDLE_PROMPT"],
    ["a file outside its folder", ({ embedder }) => (embedder.file = "../x.onnx"), "LG_BUNDLE_MANIFEST"],
    [
      "a base with another checksum",
      ({ llama }) => (llama.base = { name: "x", sha256: "0".repeat(64), url: "u" }),
      "LG_BUNDLE_MANIFEST",
    ],
  ])("refuses %s", async (_, manifest, code) => {
    await expect(check(() => undefined, manifest)).rejects.toMatchObject({ code });
  });
});

describe("a damaged encoder", () => {
  it.each([
    ["tokenizer.json", "cut off {", "LG_BUNDLE_TOKENIZER"],
    ["tokenizer.json", '{"model":{"type":"Unknown"}}', "LG_BUNDLE_TOKENIZER"],
    ["embedder.onnx", "no graph at all", "LG_BUNDLE_ENCODER"],
  ])("%s of %j is named, and what to do", async (file, content, code) => {
    const bundleDir = starterCopy();
    putFile(bundleDir, file, content);
    await expect(withModel({ bundleDir }, async () => undefined)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(`${bundleDir}/${file} cannot be used: .*[^.]\\.$`),
      remedy: "Fetch or export the bundle again.",
    });
  });

  it("with another width than the manifest's is not novelty's fault, nor the language model's", async () => {
    const width = (manifest: Manifest) => (manifest.embedder.width = 100);
    await expect(check(() => undefined, width)).rejects.toMatchObject({
      code: "LG_BUNDLE_WIDTH",
      message: "The encoder's vectors have 192 numbers where the manifest says 100.",
    });
  });

  const withoutCuda = it.skipIf(availableProviders().includes("cuda"));
  withoutCuda("is no provider's fault, and a provider that is not there is not the graph's", async () => {
    const bundleDir = starterCopy();
    const asked = () => withModel({ bundleDir, inference: { provider: "cuda" } }, async () => undefined);
    await expect(asked()).rejects.toMatchObject({ code: "LG_EMBEDDER_START" });
    putFile(bundleDir, "embedder.onnx", "no graph at all");
    await expect(asked()).rejects.toMatchObject({ code: "LG_BUNDLE_ENCODER" });
  });
});

describe("model verify", () => {
  it("says what it checked, and ends with 1 where something differs", async () => {
    const right = await runCli(["model", "verify"]);
    expect(right).toMatchObject({ status: 0, stdout: expect.stringContaining("200 golden windows") });
    const dir = starterCopy();
    putFile(dir, "golden.jsonl", '{"lines":["ok"],"margin":99}\n');
    const wrong = await runCli(["model", "verify", dir]);
    expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining("LG_BUNDLE_PARITY") });
  });
});
