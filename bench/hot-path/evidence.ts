import { lineWeights } from "../../src/classify/evidence.ts";
import { createScorer, type Scorer } from "../../src/classify/scorer.ts";
import { windowVectors } from "../../src/classify/window-vectors.ts";
import { LogGuardianError } from "../../src/errors.ts";
import { withModel } from "../../src/pipeline/open-model.ts";
import { createRandom } from "../../src/simulate/random.ts";
import { type Figure, type Measured, type Run, seed, threads } from "./figure.ts";
import { medianCpu, medianRatio, race, type Spent } from "./rounds.ts";
import { smollm2Bundle } from "./smollm2.ts";
import { uncached } from "./windows.ts";
import { devWindows, drawn, linesIn, type MaskedWindow, windowsPerBatch } from "./windows-data.ts";

const linesPerWindow = 100;
/**
 * Multiples of one score. What is asked of the weights was asked of coarse-to-fine prefixes, before lines were hidden one
 * after another. The starter asks its question before the lines, the paper's prompt after them.
 */
const asked = { starter: { prefixes: 4, weights: 2 }, paper: { prefixes: 13, weights: 4 } };
const named = {
  prompts: { starter: "question before the lines (starter)", paper: "the paper's prompt (SmolLM2-135M)" },
  ways: { prefixes: "every prefix", weights: "lines' weights, each distinct line hidden" },
};

/** What the explanation of one anomalous window costs, as multiples of scoring it, each alone in its batch. */
export async function measureEvidence(run: Run): Promise<Measured> {
  return withModel({ inference: uncached }, async ({ bundle, embedder, scorer }) => {
    const anomalous = await devWindows(run.splits, "bgl", bundle.manifest.window.maxLines, 1);
    const whole = anomalous.filter(({ length }) => length === linesPerWindow);
    // How many distinct lines a window has decides what its weights cost: so many windows.
    const windows = drawn(whole, run.full ? 64 : 16, createRandom(seed));
    const vectors = (await windowVectors(embedder, windows)).map(({ joined }) => joined);
    const starter = await costsOf(scorer, vectors, windows, run.full ? 9 : 5, run);
    const paper = await costsOfPaper(windows.slice(0, run.full ? 16 : 4), run);
    const figures = (["starter", "paper"] as const).flatMap((prompt) =>
      (["prefixes", "weights"] as const).map((way): Figure => {
        const { ratios, spent, windows, distinct } = { starter, paper }[prompt];
        const score = (1000 * medianCpu(spent.score)) / windows;
        return {
          name: `evidence-${prompt}-${way}`,
          value: ratios[way],
          unit: "times",
          better: "lower",
          asked: asked[prompt][way],
          note: `${named.ways[way]}, ${named.prompts[prompt]}; one score ${score.toFixed(1)} ms (${windows} anomalous BGL windows of ${linesPerWindow} lines, ${distinct.toFixed(1)} distinct)`,
        };
      }),
    );
    return { figures, details: { starter, paper } };
  });
}

interface Costs {
  ratios: { prefixes: number; weights: number };
  spent: Record<"score" | "prefixes" | "weights", Spent[]>;
  windows: number;
  /** Distinct lines of a window, in the mean. */
  distinct: number;
}

async function costsOfPaper(windows: readonly MaskedWindow[], run: Run): Promise<Costs> {
  const bundle = await smollm2Bundle({ flashAttention: false });
  const scorer = await createScorer(bundle, { gpuLayers: 0, threads, maxWindows: windowsPerBatch });
  try {
    const vectors = madeUpVectors(windows, bundle.manifest.embedder.width);
    return await costsOf(scorer, vectors, windows, run.full ? 5 : 1, run);
  } finally {
    await scorer.close();
  }
}

/** SmolLM2 has no encoder here: a vector of its token embeddings' size for each line. What it says costs no time. */
function madeUpVectors(windows: readonly MaskedWindow[], width: number): Float32Array[] {
  const random = createRandom(seed);
  return windows.map(({ length }) =>
    Float32Array.from({ length: length * width }, () => (random.below(2001) - 1000) / 8000),
  );
}

async function costsOf(
  scorer: Scorer,
  vectors: readonly Float32Array[],
  windows: readonly MaskedWindow[],
  rounds: number,
  { progress }: Run,
): Promise<Costs> {
  const prefixes = Array.from({ length: linesPerWindow + 1 }, (_, count) => count);
  const each = (work: (window: Float32Array, lines: MaskedWindow) => Promise<unknown>) => async () => {
    for (const [place, window] of vectors.entries()) await work(window, windows[place] ?? []);
  };
  const score = each(async (window) => {
    for (const scored of await scorer.score([window])) if (scored instanceof LogGuardianError) throw scored;
  });
  await score();
  const contenders = {
    score,
    prefixes: each((window) => scorer.scorePrefixes(window, prefixes)),
    weights: each((window, lines) => lineWeights(scorer, window, lines)),
  };
  const spent = await race(rounds, contenders, (round) => progress.show("rounds of evidence", round, rounds));
  const ratios = {
    prefixes: medianRatio(spent.prefixes, spent.score),
    weights: medianRatio(spent.weights, spent.score),
  };
  const distinct = linesIn(windows.map((lines) => [...new Set(lines)])) / windows.length;
  return { ratios, spent, windows: windows.length, distinct };
}
