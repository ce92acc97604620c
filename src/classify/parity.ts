import type { Embedder } from "../embed/embedder.ts";
import { createLineTokenizer } from "../embed/tokenizer.ts";
import { LogGuardianError } from "../errors.ts";
import type { Bundle } from "../model/bundle.ts";
import { type GoldenWindow, readGolden } from "../model/golden.ts";
import type { Scorer } from "./scorer.ts";
import { windowVectors } from "./window-vectors.ts";

export interface Parity {
  windows: number;
  /** Largest difference between the trainer's margins and ours. */
  worst: number;
  mean: number;
  tolerance: number;
  /** Windows whose tokens and vectors were compared too. */
  traced: number;
}

/** Of a vector's numbers, against the trainer's: another matrix library in fp32, and numbers written with few digits. */
const vectorTolerance = 1e-3;

/**
 * Scores the bundle's golden windows and compares tokens, vectors (where the rows tell them) and margins with the trainer's.
 * @throws LogGuardianError LG_BUNDLE_PARITY with the part that differs (tokens, embedding, logits), LG_BUNDLE_GOLDEN.
 */
export async function checkGolden(bundle: Bundle, embedder: Embedder, scorer: Scorer): Promise<Parity> {
  const golden = await readGolden(bundle);
  const { tolerance } = bundle.manifest.parity;
  checkTokens(bundle, golden);
  const vectors = await windowVectors(
    embedder,
    golden.map(({ lines }) => lines),
  );
  for (const [place, { lines }] of vectors.entries()) checkVectors(golden[place], lines);
  const scored = await scorer.score(vectors.map(({ joined }) => joined));
  const differences = golden.map(({ margin }, place) => {
    const logits = scored[place];
    if (logits === undefined || logits instanceof LogGuardianError) throw logits;
    return Math.abs(logits.anomalous - logits.normal - margin);
  });
  const worst = Math.max(...differences);
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
  const traced = golden.filter(({ tokens, embeddings }) => tokens && embeddings).length;
  // Written so that what is no number fails too.
  if (!(worst <= tolerance)) {
    const before = traced > 0 ? "; tokens and embedding agree, so the logits differ" : "";
    throw differs(
      `Golden margins differ from the trainer's by up to ${worst.toFixed(4)}, more than the tolerance of ${tolerance}${before}`,
    );
  }
  return { windows: golden.length, worst, mean, tolerance, traced };
}

function checkTokens({ manifest, path }: Bundle, golden: readonly GoldenWindow[]): void {
  const tokenizer = createLineTokenizer(path(manifest.embedder.tokenizer), manifest.text.maxTokens);
  for (const { lines, tokens } of golden) {
    for (const [line, expected] of (tokens ?? []).entries()) {
      const found = tokenizer.encode(lines[line] ?? "");
      if (found.join() === expected.join()) continue;
      throw differs(
        `The tokens of ${JSON.stringify(lines[line])} are ${found.join(" ")} where the trainer has ${expected.join(" ")}`,
      );
    }
  }
}

function checkVectors(golden: GoldenWindow | undefined, vectors: readonly Float32Array[]): void {
  for (const [line, expected] of (golden?.embeddings ?? []).entries()) {
    for (const [place, number] of expected.entries()) {
      const found = vectors[line]?.[place] ?? NaN;
      if (Math.abs(found - number) <= vectorTolerance * Math.max(1, Math.abs(number))) continue;
      throw differs(
        `The embedding of ${JSON.stringify(golden?.lines[line])} has ${found} at place ${place} where the trainer has ${number}`,
      );
    }
  }
}

function differs(what: string): LogGuardianError {
  return new LogGuardianError(
    "LG_BUNDLE_PARITY",
    `${what}.`,
    "Do not use this bundle on this machine; export it again.",
  );
}
