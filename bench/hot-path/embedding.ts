import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { gunzipSync } from "node:zlib";
import { createEmbedder } from "../../src/embed/embedder.ts";
import { createLineTokenizer } from "../../src/embed/tokenizer.ts";
import { type Bundle, loadBundle } from "../../src/model/bundle.ts";
import { dataFile, starterBundle } from "../../test/support/data.ts";
import type { BareAnswer, BareSettings } from "./bare-onnx.ts";
import { type Measured, type Run, threads } from "./figure.ts";
import { medianCpu, medianRatio, race } from "./rounds.ts";

const asked = 0.9;
/** Of a padded batch: where ONNX Runtime on a CPU is fastest (runtime facts, confirmed by the figures for others here). */
const tokensPerBatch = 512;
/** Padding moves the last bits of a vector, and nothing more. */
const tolerance = 1e-3;

/** Lines a CPU-second through the embedder, against ONNX Runtime that is handed ready tensors in the same kind of thread. */
export async function measureEmbedding({ full, progress }: Run): Promise<Measured> {
  const lines = distinctLines();
  const bundle = await loadBundle(starterBundle);
  const embedder = await createEmbedder(bundle, { provider: "cpu", threads, cacheBytes: 0 });
  const bare = await openBare(bundle, lines);
  const ours = await embedder.embed(lines);
  assertSame(ours, await bare.vectors(), lines);
  const rounds = full ? 15 : 5;
  const spent = await race(rounds, { embedder: () => embedder.embed(lines), bare: bare.run }, (round) =>
    progress.show("rounds of embedding", round, rounds),
  );
  await embedder.close();
  await bare.close();
  const [mine, theirs] = [lines.length / medianCpu(spent.embedder), lines.length / medianCpu(spent.bare)];
  return {
    figures: [
      {
        name: "embedding",
        value: medianRatio(spent.bare, spent.embedder),
        unit: "times",
        better: "higher",
        asked,
        note: `${mine.toFixed(0)} lines a CPU-second, bare ONNX Runtime ${theirs.toFixed(0)} (${lines.length} distinct masked lines of BGL, ${rounds} rounds)`,
      },
    ],
    details: { lines: lines.length, batches: bare.batches, spent },
  };
}

function distinctLines(): string[] {
  const rows: { masked: string }[] = JSON.parse(
    gunzipSync(readFileSync(dataFile("bgl/templates.json.gz"))).toString(),
  );
  return [...new Set(rows.map(({ masked }) => masked))];
}

/** Lines tokenised, sorted by length and padded to the longest of their batch, before the clock runs. */
async function openBare(bundle: Bundle, lines: readonly string[]) {
  const { embedder, text } = bundle.manifest;
  const { encode } = createLineTokenizer(bundle.path(embedder.tokenizer), text.maxTokens);
  const encoded = lines.map((line, place) => ({ place, ids: encode(line) }));
  const batches: (typeof encoded)[] = [];
  for (const one of encoded.toSorted((a, b) => a.ids.length - b.ids.length)) {
    const last = batches.at(-1);
    // The newest is the longest so far: all others are padded to it.
    if (last === undefined || (last.length + 1) * one.ids.length > tokensPerBatch) batches.push([one]);
    else last.push(one);
  }
  const worker = new Worker(new URL("./bare-onnx.ts", import.meta.url), {
    workerData: {
      modelPath: bundle.path(embedder.file),
      threads,
      padId: embedder.padId,
      batches: batches.map((batch) => batch.map(({ ids }) => ids)),
    } satisfies BareSettings,
  });
  await once(worker, "message");
  async function run(): Promise<Float32Array[]> {
    worker.postMessage("run");
    const [answer] = (await once(worker, "message")) as [BareAnswer];
    return answer;
  }
  return {
    batches: batches.length,
    run,
    /** In the order of the lines. */
    async vectors(): Promise<Float32Array[]> {
      const found = await run();
      const vectors: Float32Array[] = [];
      for (const [number, batch] of batches.entries()) {
        const width = (found[number]?.length ?? 0) / batch.length;
        for (const [row, { place }] of batch.entries())
          vectors[place] = found[number]?.slice(row * width, (row + 1) * width) ?? new Float32Array(0);
      }
      return vectors;
    },
    close: () => worker.terminate(),
  };
}

function assertSame(
  ours: readonly Float32Array[],
  theirs: readonly Float32Array[],
  lines: readonly string[],
): void {
  for (const [place, vector] of ours.entries()) {
    const other = theirs[place];
    if (
      other?.length === vector.length &&
      vector.every((value, at) => Math.abs(value - (other[at] ?? NaN)) < tolerance)
    )
      continue;
    throw new Error(`Embedder and bare ONNX Runtime do not agree on ${lines[place]}.`);
  }
}
