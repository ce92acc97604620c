import type { Embedder } from "../embed/embedder.ts";
import { LogGuardianError } from "../errors.ts";
import type { Bundle } from "../model/bundle.ts";
import { readGolden } from "../model/golden.ts";
import type { Scorer } from "./scorer.ts";
import { windowVectors } from "./window-vectors.ts";

export interface Parity {
  windows: number;
  /** Largest difference between the trainer's margins and ours. */
  worst: number;
  mean: number;
  tolerance: number;
}

/**
 * Scores the bundle's golden windows and compares their margins with the trainer's.
 * @throws LogGuardianError LG_BUNDLE_PARITY when one differs by more than the manifest's tolerance, LG_BUNDLE_GOLDEN.
 */
export async function checkGolden(bundle: Bundle, embedder: Embedder, scorer: Scorer): Promise<Parity> {
  const golden = await readGolden(bundle);
  const { tolerance } = bundle.manifest.parity;
  const vectors = await windowVectors(
    embedder,
    golden.map(({ lines }) => lines),
  );
  const scored = await scorer.score(vectors.map(({ joined }) => joined));
  const differences = golden.map(({ margin }, place) => {
    const logits = scored[place];
    if (logits === undefined || logits instanceof LogGuardianError) throw logits;
    return Math.abs(logits.anomalous - logits.normal - margin);
  });
  const worst = Math.max(...differences);
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
  if (worst > tolerance) {
    throw new LogGuardianError(
      "LG_BUNDLE_PARITY",
      `Golden margins differ from the trainer's by up to ${worst.toFixed(4)}, more than the tolerance of ${tolerance}.`,
      "Do not use this bundle on this machine; export it again.",
    );
  }
  return { windows: golden.length, worst, mean, tolerance };
}
