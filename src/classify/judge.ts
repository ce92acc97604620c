import type { CacheStats } from "../byte-cache.ts";
import type { Embedder } from "../embed/embedder.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { Bundle } from "../model/bundle.ts";
import { hasEnded } from "../model/ended.ts";
import { type Logger, silentLogger } from "../telemetry/logger.ts";
import { scoreOf } from "./calibration.ts";
import { lineWeights } from "./evidence.ts";
import type { Judgement } from "./judgement.ts";
import type { Novelty } from "./novelty.ts";
import type { Scorer } from "./scorer.ts";
import { createVerdictCache, type KnownWindow, windowKey } from "./verdict-cache.ts";
import { windowVectors } from "./window-vectors.ts";

/** Windows of masked lines to judgements: caches, embedder, language model, calibration and evidence in their order. */
export interface Judge {
  /**
   * In the order asked. A window that cannot be judged is undecided with the reason; it spoils no other.
   * @throws LogGuardianError LG_MODEL_ENDED where no window can be judged any more: whoever asks must begin anew.
   */
  judge(
    windows: readonly AskedWindow[],
    asked?: { /** as of the options */ rawOutput: boolean },
  ): Promise<Judgement[]>;
  /** Of a window that is not to be judged. @param reason a stable code. */
  undecided(lines: number, reason: string): Judgement;
  stats(): { verdicts: CacheStats; lines: CacheStats };
}

export interface AskedWindow {
  masked: readonly string[];
  /** Of a window that is judged while it is open: the name it is known by until it has closed. */
  id?: string;
  /** Lines that it had at the revision before, where it is open yet: it is anomalous only if it was so then, too. */
  linesBefore?: number;
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
  deps: {
    bundle: Bundle;
    embedder: Embedder;
    scorer: Scorer;
    novelty?: Novelty | undefined;
    /** Of what a judgement does not tell. */
    logger?: Logger;
  },
  options: JudgeOptions,
): Judge {
  const { bundle, embedder, scorer, novelty, logger = silentLogger } = deps;
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

  /** What the cache does not know is computed, each distinct window once. What cannot be computed is an error. */
  async function knownOf(asked: readonly (AskedWindow & { key: string })[]): Promise<Map<string, Result>> {
    const results = new Map<string, Result>();
    const missing = new Map<string, AskedWindow>();
    for (const { key, ...window } of asked) {
      if (missing.has(key) || results.has(key)) continue;
      const found = cache.get(key);
      if (found) results.set(key, found);
      else missing.set(key, window);
    }
    if (missing.size === 0) return results;
    const computed = await computeAll([...missing.values()]);
    for (const [place, key] of [...missing.keys()].entries()) {
      const result = computed[place];
      if (isKnown(result)) cache.set(key, result);
      results.set(key, result);
    }
    return results;
  }

  /** Windows that fail together are tried one by one, so that only what fails alone has no answer. */
  async function computeAll(windows: readonly AskedWindow[]): Promise<Result[]> {
    try {
      return await compute(windows);
    } catch (thrown) {
      if (hasEnded(thrown)) throw thrown;
      if (windows.length === 1) return [thrown];
      const results: Result[] = [];
      for (const window of windows) results.push(...(await computeAll([window])));
      return results;
    }
  }

  async function compute(windows: readonly AskedWindow[]): Promise<Result[]> {
    const vectors = await windowVectors(
      embedder,
      windows.map(({ masked }) => masked),
    );
    const scored = await scorer.score(
      vectors.map(({ joined }) => joined),
      windows.map(({ id, linesBefore }) =>
        id === undefined ? undefined : { id, isLast: linesBefore === undefined },
      ),
    );
    const results: Result[] = [];
    for (const [place, logits] of scored.entries()) {
      if (logits instanceof LogGuardianError) {
        results.push(logits);
        continue;
      }
      const known: KnownWindow = { logits };
      if (novelty !== undefined) known.lineNovelties = await novelty.of(vectors[place]?.lines ?? []);
      results.push(known);
    }
    return results;
  }

  /** Open windows that were anomalous at the revision before, too: a score that stays above the threshold. */
  async function staying(windows: readonly AskedWindow[]): Promise<ReadonlySet<AskedWindow>> {
    const before = windows.flatMap((window) => {
      const masked = window.masked.slice(0, window.linesBefore);
      return masked.length === 0 ? [] : [{ window, masked, key: windowKey(bundle.id, masked) }];
    });
    const known = await knownOf(before.map(({ masked, key }) => ({ masked, key })));
    const stay = before.filter(({ key }) => {
      const result = known.get(key);
      return isKnown(result) && isAnomalous(result);
    });
    return new Set(stay.map(({ window }) => window));
  }

  /** Without them where they cannot be computed: the verdict stands. */
  async function withWeights(known: KnownWindow, lines: readonly string[]): Promise<KnownWindow> {
    if (known.weights !== undefined) return known;
    try {
      const [vectors] = await windowVectors(embedder, [lines]);
      const weights = await lineWeights(scorer, vectors?.joined ?? new Float32Array(0), lines);
      return { ...known, weights };
    } catch (thrown) {
      leftOut("The weights of an anomalous window's lines cannot be computed.", thrown);
      return known;
    }
  }

  async function judgementOf(
    known: KnownWindow,
    lines: readonly string[],
    isRaised: boolean,
    rawOutput: boolean,
  ): Promise<Judgement> {
    const margin = marginOf(known);
    const judgement: Judgement = {
      verdict: isRaised ? "anomalous" : "normal",
      score: scoreOf(margin, calibration),
      margin,
      logits: known.logits,
      threshold: options.threshold,
      linesScored: lines.length,
    };
    if (isRaised && known.weights !== undefined) judgement.weights = known.weights;
    if (known.lineNovelties !== undefined) {
      judgement.novelty = Math.max(...known.lineNovelties);
      judgement.lineNovelties = known.lineNovelties;
    }
    const answer = rawOutput ? await answerTo(lines) : undefined;
    if (answer !== undefined) judgement.answer = answer;
    return judgement;
  }

  async function answerTo(lines: readonly string[]): Promise<string | undefined> {
    try {
      const [vectors] = await windowVectors(embedder, [lines]);
      return await scorer.answer(vectors?.joined ?? new Float32Array(0));
    } catch (thrown) {
      leftOut("The model cannot answer a window in words.", thrown);
      return undefined;
    }
  }

  /** What stands beside a verdict, and is missing now. */
  function leftOut(event: string, thrown: unknown): void {
    if (hasEnded(thrown)) throw thrown;
    logger.warn(event, { error: reasonOf(thrown) });
  }

  /** The reasons, each once: a verdict carries only its code. */
  function tellUndecided(results: Iterable<Result>): void {
    const failures = [...results].filter((result) => !isKnown(result));
    for (const [error, alike] of Map.groupBy(failures, reasonOf))
      logger.warn("Windows are undecided: they could not be judged.", {
        windows: alike.length,
        code: codeOf(alike[0]),
        error,
      });
  }

  return {
    undecided,
    stats: () => ({ verdicts: cache.stats(), lines: embedder.stats() }),
    async judge(windows, { rawOutput } = options) {
      const asked = windows.map((window) => {
        const masked = window.masked.slice(0, limits.maxLines);
        return { ...window, masked, key: windowKey(bundle.id, masked) };
      });
      const results = await knownOf(asked);
      const above = asked.filter(({ key }) => {
        const result = results.get(key);
        return isKnown(result) && isAnomalous(result);
      });
      const stay = await staying(above.filter(({ linesBefore }) => linesBefore !== undefined));
      const raised = new Set<AskedWindow>();
      for (const window of above) {
        if (window.linesBefore !== undefined && !stay.has(window)) continue;
        raised.add(window);
        const known = results.get(window.key);
        if (!options.evidence || !isKnown(known)) continue;
        const result = await withWeights(known, window.masked);
        results.set(window.key, result);
        cache.set(window.key, result);
      }
      tellUndecided(results.values());
      return Promise.all(
        asked.map((window) => {
          const result = results.get(window.key);
          return isKnown(result)
            ? judgementOf(result, window.masked, raised.has(window), rawOutput)
            : undecided(window.masked.length, codeOf(result));
        }),
      );
    },
  };
}

/** What was computed of a window, or why it could not be. */
type Result = KnownWindow | unknown;

function codeOf(thrown: unknown): string {
  return thrown instanceof LogGuardianError ? thrown.code : "LG_SCORER";
}

function isKnown(result: unknown): result is KnownWindow {
  return typeof result === "object" && result !== null && "logits" in result;
}
