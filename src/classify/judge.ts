import type { CacheStats } from "../byte-cache.ts";
import type { Embedder } from "../embed/embedder.ts";
import { LogGuardianError } from "../errors.ts";
import type { Bundle } from "../model/bundle.ts";
import { scoreOf } from "./calibration.ts";
import { lineWeights } from "./evidence.ts";
import type { Judgement } from "./judgement.ts";
import type { Novelty } from "./novelty.ts";
import type { Scorer } from "./scorer.ts";
import { createVerdictCache, type KnownWindow, windowKey } from "./verdict-cache.ts";
import { windowVectors } from "./window-vectors.ts";

/** Windows of masked lines to judgements: caches, embedder, language model, calibration and evidence in their order. */
export interface Judge {
  /** In the order asked. A window that cannot be judged is undecided with the reason; it spoils no other. */
  judge(windows: readonly { masked: readonly string[] }[]): Promise<Judgement[]>;
  /** Of a window that is not to be judged. @param reason a stable code. */
  undecided(lines: number, reason: string): Judgement;
  stats(): { verdicts: CacheStats; lines: CacheStats };
}

export interface JudgeOptions {
  /** On the score; a window is anomalous from it on. */
  threshold: number;
  /** Compute the lines' weights of anomalous windows. */
  evidence: boolean;
  /** Let the model answer in words too. */
  rawOutput: boolean;
  /** Of the verdict cache; 0 switches it off. */
  cacheBytes: number;
}

/** Asked at once by whoever has a whole file of windows: some full batches, and still often a sign of progress. */
export const windowsPerCall = 256;

export function createJudge(
  deps: { bundle: Bundle; embedder: Embedder; scorer: Scorer; novelty?: Novelty | undefined },
  options: JudgeOptions,
): Judge {
  const { bundle, embedder, scorer, novelty } = deps;
  const { calibration, window: limits } = bundle.manifest;
  const cache = createVerdictCache(options.cacheBytes);

  const marginOf = ({ logits }: KnownWindow) => logits.anomalous - logits.normal;
  const isAnomalous = (known: KnownWindow) => scoreOf(marginOf(known), calibration) >= options.threshold;

  const undecided = (lines: number, reason: string): Judgement => ({
    verdict: "undecided",
    score: null,
    margin: null,
    logits: null,
    threshold: options.threshold,
    linesScored: Math.min(lines, limits.maxLines),
    reason,
  });

  /** Computes what the cache does not know, each distinct window once. */
  async function compute(
    missing: Map<string, readonly string[]>,
  ): Promise<Map<string, KnownWindow | unknown>> {
    const results = new Map<string, KnownWindow | unknown>();
    const windows = [...missing.values()];
    const vectors = await windowVectors(embedder, windows);
    const scored = await scorer.score(vectors.map(({ joined }) => joined));
    for (const [place, key] of [...missing.keys()].entries()) {
      const logits = scored[place];
      const { lines = [], joined = new Float32Array(0) } = vectors[place] ?? {};
      if (logits === undefined || logits instanceof LogGuardianError) {
        results.set(key, logits);
        continue;
      }
      const known: KnownWindow = { logits };
      if (options.evidence && isAnomalous(known)) {
        known.weights = await lineWeights(scorer, joined, lines.length);
      }
      if (novelty !== undefined) known.lineNovelties = await novelty.of(lines);
      cache.set(key, known);
      results.set(key, known);
    }
    return results;
  }

  async function judgementOf(known: KnownWindow, lines: readonly string[]): Promise<Judgement> {
    const margin = marginOf(known);
    const judgement: Judgement = {
      verdict: isAnomalous(known) ? "anomalous" : "normal",
      score: scoreOf(margin, calibration),
      margin,
      logits: known.logits,
      threshold: options.threshold,
      linesScored: lines.length,
    };
    if (known.weights !== undefined) judgement.weights = known.weights;
    if (known.lineNovelties !== undefined) {
      judgement.novelty = Math.max(...known.lineNovelties);
      judgement.lineNovelties = known.lineNovelties;
    }
    if (options.rawOutput) {
      const [vectors] = await windowVectors(embedder, [lines]);
      if (vectors !== undefined) judgement.answer = await scorer.answer(vectors.joined);
    }
    return judgement;
  }

  return {
    undecided,
    stats: () => ({ verdicts: cache.stats(), lines: embedder.stats() }),
    async judge(windows) {
      const cut = windows.map(({ masked }) => masked.slice(0, limits.maxLines));
      const keys = cut.map((lines) => windowKey(bundle.id, lines));
      const known = new Map<string, KnownWindow | unknown>();
      const missing = new Map<string, readonly string[]>();
      for (const [place, key] of keys.entries()) {
        if (missing.has(key) || known.has(key)) continue;
        const found = cache.get(key);
        if (found) known.set(key, found);
        else missing.set(key, cut[place] ?? []);
      }
      if (missing.size > 0) {
        const computed = await compute(missing).catch(
          (thrown) => new Map([...missing.keys()].map((key) => [key, thrown])),
        );
        for (const [key, result] of computed) known.set(key, result);
      }
      return Promise.all(
        keys.map((key, place) => {
          const lines = cut[place] ?? [];
          const result = known.get(key);
          return isKnown(result) ? judgementOf(result, lines) : undecided(lines.length, codeOf(result));
        }),
      );
    },
  };
}

function codeOf(thrown: unknown): string {
  return thrown instanceof LogGuardianError ? thrown.code : "LG_SCORER";
}

function isKnown(result: unknown): result is KnownWindow {
  return typeof result === "object" && result !== null && "logits" in result;
}
