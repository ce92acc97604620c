import type { Engine, Operation } from "../../src/classify/addon.ts";
import { bindLlama } from "../../src/classify/bind-llama.ts";
import { createScorer } from "../../src/classify/scorer.ts";
import { LogGuardianError } from "../../src/errors.ts";
import type { Bundle } from "../../src/model/bundle.ts";
import { createRandom } from "../../src/simulate/random.ts";
import { type Figure, type Measured, type Run, seed, threads } from "./figure.ts";
import { medianCpu, medianRatio, race, type Spent } from "./rounds.ts";
import { smollm2Bundle } from "./smollm2.ts";
import { windowsPerBatch } from "./windows-data.ts";

const linesPerWindow = 100;
/** As llama-bench's pp512. */
const plainTokens = 512;
const asked = 1.1;

/** Positions a CPU-second through the scorer, against plain prefill by the same library, threads and flash setting. */
export async function measurePositions(run: Run): Promise<Measured> {
  const [off, on] = [await compare(run, false), await compare(run, true)];
  const figureOf = (name: string, one: Comparison): Figure => ({
    name,
    value: one.ratio,
    unit: "times",
    better: "higher",
    note: `${one.windows.toFixed(0)} positions a CPU-second in windows of ${linesPerWindow} lines, ${one.plain.toFixed(0)} in plain prefill of ${plainTokens} tokens (SmolLM2-135M, ${one.rounds} rounds)`,
  });
  return {
    figures: [{ ...figureOf("positions", off), asked }, figureOf("positions, flash attention", on)],
    details: { flashOff: off, flashOn: on },
  };
}

interface Comparison {
  /** Positions a CPU-second, medians. */
  windows: number;
  plain: number;
  ratio: number;
  rounds: number;
  spent: Record<"windows" | "plain", Spent[]>;
}

async function compare({ full, progress }: Run, flashAttention: boolean): Promise<Comparison> {
  const bundle = await smollm2Bundle({ flashAttention });
  const scorer = await createScorer(bundle, { gpuLayers: 0, threads, maxWindows: windowsPerBatch });
  const plain = await openPlain(bundle);
  const prefillPlain = plainPrefill(plain, bundle);
  // Each as many positions as one decode of the scorer holds, or a whole batch's.
  const count = full ? windowsPerBatch : 18;
  const windows = randomWindows(plain, count);
  // A window's beginning of the prompt was decoded once for all: it does not count.
  const perWindow = linesPerWindow + bundle.manifest.prompt.after.ids.length;
  const prefills = Math.round((count * perWindow) / plainTokens);
  const contenders = {
    windows: async () => {
      for (const scored of await scorer.score(windows)) if (scored instanceof LogGuardianError) throw scored;
    },
    plain: async () => {
      for (let prefill = 0; prefill < prefills; prefill++) await prefillPlain();
    },
  };
  await scorer.score(windows.slice(0, 1));
  await prefillPlain();
  const rounds = full ? 7 : flashAttention ? 2 : 3;
  const spent = await race(rounds, contenders, (round) =>
    progress.show(`rounds of positions, flash attention ${flashAttention ? "on" : "off"}`, round, rounds),
  );
  await scorer.close();
  plain.dispose();
  const [ours, theirs] = [count * perWindow, prefills * plainTokens];
  return {
    windows: ours / medianCpu(spent.windows),
    plain: theirs / medianCpu(spent.plain),
    ratio: (medianRatio(spent.plain, spent.windows) * ours) / theirs,
    rounds,
    spent,
  };
}

/** The same library and weights with nothing of ours but the call: one sequence, one decode, one row of logits. */
async function openPlain({ manifest, path }: Bundle): Promise<Engine> {
  const { addon } = await bindLlama(false);
  return new addon.Engine({
    modelPath: path(manifest.llama.file),
    gpuLayers: 0,
    threads,
    maxSequences: 1,
    maxPositions: plainTokens,
    positionsPerSequence: plainTokens,
    repack: true,
    flashAttention: manifest.llama.flashAttention,
  });
}

function plainPrefill(engine: Engine, { manifest }: Bundle): () => Promise<unknown> {
  const random = createRandom(seed);
  const { vocabulary } = engine.info();
  const prefill: Operation = {
    kind: "tokens",
    values: Int32Array.from({ length: plainTokens }, () => random.below(vocabulary)),
    positions: Int32Array.from({ length: plainTokens }, (_, place) => place),
    sequences: new Int32Array(plainTokens),
    outputs: new Int8Array(plainTokens).fill(1, plainTokens - 1),
  };
  const ids = Int32Array.of(manifest.verdict.normal.id, manifest.verdict.anomalous.id);
  return () => engine.run([{ kind: "clear" }, prefill], ids);
}

/** Lines that look like random tokens: of the length that the model's own vectors have. */
function randomWindows(engine: Engine, count: number): Float32Array[] {
  const random = createRandom(seed);
  const { vocabulary } = engine.info();
  return Array.from({ length: count }, () =>
    engine.tokenRows(Int32Array.from({ length: linesPerWindow }, () => random.below(vocabulary))),
  );
}
