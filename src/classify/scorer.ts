import { LogGuardianError, reasonOf } from "../errors.ts";
import type { Bundle } from "../model/bundle.ts";
import { hasEnded, modelEnded } from "../model/ended.ts";
import type { Operation } from "./addon.ts";
import { createLiveSequences, type Live, type LiveWindow } from "./live-sequences.ts";
import { type LlamaRuntime, openLlama, type RuntimeOptions } from "./llama-runtime.ts";
import { batchesBySize, decodePieces, type Piece, type PromptRows } from "./window-batch.ts";

/** Logits of the two verdict tokens at the one position after the window. */
export interface Logits {
  normal: number;
  anomalous: number;
}

/** A window's logits, or why it has none. */
export type Scored = Logits | LogGuardianError;

/** For each window, whether it goes on. */
export type LiveWindows = readonly (LiveWindow | undefined)[];

/** The language model's judgement of windows given as line vectors. */
export interface Scorer {
  readonly width: number;
  /** Where the model runs, for people. */
  readonly device: string;
  /**
   * Each window is [lines, width]. On a CPU without flash attention a window's logits are the same bits alone, in any
   * batch and in any order. One bad window (LG_WINDOW_EMPTY, LG_WINDOW_TOO_LONG, LG_EMBEDDING_NOT_FINITE,
   * LG_LOGITS_NOT_FINITE, LG_DECODE) spoils no other.
   * @param live of windows that go on: of those whose lines are still in the KV cache only the new ones are computed. The
   *   logits are the same bits.
   * @throws LogGuardianError LG_MODEL_ENDED where no window can be scored any more.
   */
  score(windows: readonly Float32Array[], live?: LiveWindows): Promise<Scored[]>;
  /** Logits after the first `counts[i]` lines of the window, from one KV cache; 0 asks about no line at all. */
  scorePrefixes(window: Float32Array, counts: readonly number[]): Promise<Logits[]>;
  /**
   * Logits where the question does not see some of the lines, for each list of places (rising): the window is computed once,
   * and those lines are taken out of the KV cache before the question is asked. Lines after them have seen them.
   */
  scoreHidden(window: Float32Array, hidden: readonly (readonly number[])[]): Promise<Logits[]>;
  /** The model's own words: greedy, at most 6 tokens. For people; verdicts never come from text. */
  answer(window: Float32Array): Promise<string>;
  close(): Promise<void>;
}

const maxAnswerTokens = 6;

/**
 * Loads the bundle's language model.
 * @throws LogGuardianError LG_NATIVE_*, LG_MODEL_LOAD, LG_BUNDLE_PROMPT, LG_BUNDLE_WIDTH; LG_NATIVE_PARITY when the
 *   embedding path does not answer as the token path does.
 */
export async function createScorer(bundle: Bundle, options: RuntimeOptions): Promise<Scorer> {
  const runtime = await openLlama(bundle, options);
  try {
    return await scorerOn(runtime, bundle);
  } catch (thrown) {
    await runtime.close();
    throw thrown;
  }
}

/** @param runtime is closed by the scorer. */
export async function scorerOn(runtime: LlamaRuntime, bundle: Bundle): Promise<Scorer> {
  const { manifest } = bundle;
  const { engine, maxSequences, liveSequences, maxPositions } = runtime;
  const { width } = engine.info();
  const verdictIds = Int32Array.of(manifest.verdict.normal.id, manifest.verdict.anomalous.id);
  const prompt: PromptRows = {
    before: engine.tokenRows(Int32Array.from(manifest.prompt.before.ids)),
    after: engine.tokenRows(Int32Array.from(manifest.prompt.after.ids)),
    width,
  };
  const beforeLength = manifest.prompt.before.ids.length;
  const afterLength = manifest.prompt.after.ids.length;

  // The prompt's beginning is computed once and stays in every sequence: only what follows it is removed.
  const keepPrefix: Operation[] = [
    { kind: "clear" },
    decodePieces([{ parts: [prompt.before], sequence: 0, from: 0, output: false }], width),
    ...range(1, maxSequences).map((target): Operation => ({ kind: "copy", source: 0, target })),
  ];

  /** Without its prompt the cache answers all the same, and wrongly: nobody is answered any more. */
  let ended: LogGuardianError | undefined;
  /** Programs leave the cache as they found it, so they must not interleave. */
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  }
  /** As long as there is somebody to ask. */
  const asking = <T>(work: () => Promise<T>) =>
    inTurn(() => {
      if (ended !== undefined) throw ended;
      return work();
    });
  const forget = (sequence: number): Operation => ({ kind: "remove", sequence, from: beforeLength });

  const kept = createLiveSequences({
    width,
    sequences: range(maxSequences, maxSequences + liveSequences),
  });
  const whole = (sequence: number): Operation => ({ kind: "remove", sequence, from: 0 });

  async function begin(): Promise<void> {
    kept.clear();
    await checkParity(runtime, bundle, prompt);
    await engine.run(keepPrefix, verdictIds);
  }
  await begin();

  /** How often what was kept has gone. */
  let begins = 0;
  /** Where the cache is in doubt. @throws LogGuardianError LG_MODEL_ENDED where the prompt itself fails. */
  async function beginAnew(): Promise<void> {
    begins++;
    try {
      await begin();
    } catch (thrown) {
      ended = modelEnded("language model", thrown);
      throw ended;
    }
  }

  /** @param program its logits are those of windows. */
  async function run(program: readonly Operation[]): Promise<Scored[]> {
    const scored = await engine.run(program, verdictIds).then(pairs, async (thrown) => {
      // What the program has done of itself is not known.
      await beginAnew();
      throw thrown;
    });
    // What is not finite stays in the cache, and reaches who uses it next though it is masked: 0 times NaN is NaN.
    if (scored.some((one) => one instanceof LogGuardianError)) await beginAnew();
    return scored;
  }

  interface Asked {
    window: Float32Array;
    /** Whether it goes on, and what of it is in the KV cache. */
    live?: LiveWindow | undefined;
    known?: Live | undefined;
  }

  /**
   * No more live windows than may be kept: one that was found is then not given up for another before it is used. Of two
   * revisions of one window the later.
   */
  function askedOf(places: readonly number[], windows: readonly Float32Array[], live: LiveWindows): Asked[] {
    const last = new Map(places.flatMap((place) => (live[place] ? [[live[place].id, place]] : [])));
    const chosen = new Set([...last.values()].slice(0, liveSequences));
    return places.map((place) => {
      const window = windows[place] ?? new Float32Array(0);
      const one = chosen.has(place) ? live[place] : undefined;
      return { window, live: one, known: one && kept.find(one.id, window) };
    });
  }

  async function decodeWindows(asked: readonly Asked[]): Promise<Scored[]> {
    const before: Operation[] = [];
    const after: Operation[] = [];
    const pieces = asked.map(({ window, known }, sequence) => {
      if (known === undefined) before.push(forget(sequence));
      else before.push(whole(sequence), { kind: "copy", source: known.sequence, target: sequence });
      const lines = known?.lines ?? 0;
      const fresh = window.subarray(lines * width);
      return { parts: [fresh, prompt.after], sequence, from: beforeLength + lines, output: true };
    });
    for (const [sequence, { window, live }] of asked.entries()) {
      if (live === undefined) continue;
      if (live.isLast) {
        kept.drop(live.id);
        continue;
      }
      const target = kept.keep(live.id, window);
      const from = beforeLength + window.length / width;
      after.push(whole(target), { kind: "copy", source: sequence, target });
      after.push({ kind: "remove", sequence: target, from });
    }
    return run([...before, decodePieces(pieces, width), ...after]);
  }

  /** A batch that fails is tried window by window, so that only what fails alone stays unscored. */
  async function scoreBatch(asked: readonly Asked[]): Promise<Scored[]> {
    try {
      return await decodeWindows(asked);
    } catch (thrown) {
      if (hasEnded(thrown)) throw thrown;
      return asked.length > 1 ? oneByOne(asked) : [decodeFailed(thrown)];
    }
  }

  /** Each computed whole. */
  async function oneByOne(asked: readonly Asked[]): Promise<Scored[]> {
    const results: Scored[] = [];
    for (const { window, live } of asked) results.push(...(await scoreBatch([{ window, live }])));
    return results;
  }

  /** The question after the window, once for each list of ranges of lines that it does not see. */
  async function ask(window: Float32Array, hidden: readonly (readonly Range[])[]): Promise<Logits[]> {
    const refused = refusal(window, width, manifest.window.maxLines);
    if (refused) throw refused;
    const source = maxSequences - 1;
    // With the prompt's last row: the only line of a window would be a row alone, which is rounded otherwise.
    const from = beforeLength - 1;
    const lines: Piece = {
      parts: [prompt.before.subarray(from * width), window],
      sequence: 0,
      from,
      output: false,
    };
    // The lines are computed in sequence 0 and kept in the last one, which each question gets a copy of.
    const keep: Operation[] = [whole(source), { kind: "copy", source: 0, target: source }];
    const fresh: Operation = { kind: "remove", sequence: 0, from };
    await run([fresh, decodePieces([lines], width), ...keep]);
    const most = Math.min(source, Math.floor(maxPositions / afterLength));
    const logits: Logits[] = [];
    for (let first = 0; first < hidden.length; first += most) {
      const chosen = hidden.slice(first, first + most);
      const cut = chosen.flatMap((ranges, sequence): Operation[] => [
        whole(sequence),
        { kind: "copy", source, target: sequence },
        ...ranges.map(
          ({ from, to }): Operation => ({
            kind: "remove",
            sequence,
            from: beforeLength + from,
            to: beforeLength + to,
          }),
        ),
      ]);
      const pieces = chosen.map((ranges, sequence) => {
        const seen = endOfSeen(window.length / width, ranges);
        return { parts: [prompt.after], sequence, from: beforeLength + seen, output: true };
      });
      for (const scored of await run([...cut, decodePieces(pieces, width)])) {
        if (scored instanceof LogGuardianError) throw scored;
        logits.push(scored);
      }
    }
    return logits;
  }

  return {
    width,
    device: runtime.device,
    score: (windows, live = []) =>
      asking(async () => {
        const results: Scored[] = windows.map(
          (window) => refusal(window, width, manifest.window.maxLines) ?? pending,
        );
        const good = range(0, windows.length).filter((place) => results[place] === pending);
        const asked = askedOf(good, windows, live);
        const sizes = asked.map(({ window, known }) => window.length / width - (known?.lines ?? 0));
        const begunBefore = begins;
        for (const batch of batchesBySize(sizes, maxSequences, maxPositions, afterLength)) {
          const chosen = batch.flatMap((index) => asked[index] ?? []);
          // What of them was in the cache may have gone since; computed whole they may be too much for one decode.
          const scored = await (begins > begunBefore ? oneByOne(chosen) : scoreBatch(chosen));
          for (const [place, index] of batch.entries()) results[good[index] ?? 0] = scored[place] ?? pending;
        }
        return results;
      }),

    scorePrefixes: (window, counts) =>
      asking(() => {
        const lines = window.length / width;
        return ask(
          window,
          counts.map((from) => (from < lines ? [{ from, to: lines }] : [])),
        );
      }),

    scoreHidden: (window, hidden) => asking(() => ask(window, hidden.map(rangesOf))),

    answer: (window) =>
      asking(async () => {
        const every = Int32Array.from(range(0, engine.info().vocabulary));
        const ids: number[] = [];
        let position = beforeLength + window.length / width + afterLength;
        const piece = { parts: [window, prompt.after], sequence: 0, from: beforeLength, output: true };
        let logits = await engine.run([forget(0), decodePieces([piece], width)], every);
        while (ids.length < maxAnswerTokens) {
          const next = greatest(logits);
          ids.push(next);
          if (ids.length === maxAnswerTokens || position >= engine.info().positionsPerSequence) break;
          const one: Operation = {
            kind: "tokens",
            values: Int32Array.of(next),
            positions: Int32Array.of(position++),
            sequences: Int32Array.of(0),
            outputs: Int8Array.of(1),
          };
          logits = await engine.run([one], every);
        }
        return runtime.detokenize(ids).trim();
      }),

    close: () => inTurn(() => runtime.close()),
  };
}

/** Places of lines, from the first to before the second. */
interface Range {
  from: number;
  to: number;
}

function rangesOf(places: readonly number[]): Range[] {
  const ranges: Range[] = [];
  for (const place of places) {
    const last = ranges.at(-1);
    if (last?.to === place) last.to++;
    else ranges.push({ from: place, to: place + 1 });
  }
  return ranges;
}

/** What comes next must follow the last position that is left: llama.cpp asks for that. Gaps before it may be. */
function endOfSeen(lines: number, hidden: readonly Range[]): number {
  const last = hidden.at(-1);
  return last?.to === lines ? last.from : lines;
}

/** Placeholder of a window that has yet to be decoded. */
const pending = new LogGuardianError("LG_DECODE", "The window was not decoded.", "Report this as a bug.");

function refusal(window: Float32Array, width: number, maxLines: number): LogGuardianError | undefined {
  if (window.length === 0) {
    return new LogGuardianError(
      "LG_WINDOW_EMPTY",
      "The window has no lines.",
      "Score windows of at least one line.",
    );
  }
  if (window.length > maxLines * width) {
    return new LogGuardianError(
      "LG_WINDOW_TOO_LONG",
      `The window has ${window.length / width} lines, the bundle's limit is ${maxLines}.`,
      "Cut it as the bundle's manifest says.",
    );
  }
  if (!window.every(Number.isFinite)) {
    return new LogGuardianError(
      "LG_EMBEDDING_NOT_FINITE",
      "A line's embedding holds a number that is not finite.",
      "Verify the bundle: `logguardian model verify`.",
    );
  }
  return undefined;
}

function decodeFailed(thrown: unknown): LogGuardianError {
  return new LogGuardianError(
    "LG_DECODE",
    `llama.cpp could not decode the window: ${reasonOf(thrown)}.`,
    "Lower inference.batchSize if memory is short.",
    thrown,
  );
}

/** Token path and embedding path must give the same logits on the prompt itself: exactly on a CPU. */
async function checkParity(runtime: LlamaRuntime, { manifest }: Bundle, prompt: PromptRows): Promise<void> {
  const { engine } = runtime;
  const ids = [...manifest.prompt.before.ids, ...manifest.prompt.after.ids];
  const probe = Int32Array.of(manifest.verdict.normal.id, manifest.verdict.anomalous.id, ...ids);
  const embedded = decodePieces(
    [{ parts: [prompt.before, prompt.after], sequence: 0, from: 0, output: true }],
    prompt.width,
  );
  if (embedded.kind !== "embeddings") return;
  const { values: _, ...rows } = embedded;
  const byToken: Operation = { ...rows, kind: "tokens", values: Int32Array.from(ids) };
  const expected = await engine.run([{ kind: "clear" }, byToken], probe);
  const found = await engine.run([{ kind: "clear" }, embedded], probe);
  const worst = expected.reduce(
    (most, logit, place) => Math.max(most, Math.abs(logit - (found[place] ?? NaN))),
    0,
  );
  const allowed = runtime.device === "cpu" ? 0 : manifest.parity.tolerance;
  if (worst <= allowed) return;
  throw new LogGuardianError(
    "LG_NATIVE_PARITY",
    `Logits through embeddings differ from those through tokens by ${worst}.`,
    "This build of llama.cpp cannot be trusted with this model; try gpuLayers: 0, and report it.",
  );
}

function pairs(logits: Float32Array): Scored[] {
  return range(0, logits.length / 2).map((place) => {
    const [normal = NaN, anomalous = NaN] = logits.subarray(2 * place);
    return Number.isFinite(normal) && Number.isFinite(anomalous) ? { normal, anomalous } : notFinite();
  });
}

function notFinite(): LogGuardianError {
  return new LogGuardianError(
    "LG_LOGITS_NOT_FINITE",
    "The language model answers the window with a logit that is not finite.",
    "Its weights or this machine's arithmetic cannot take the window: `logguardian model verify`; keep its lines.",
  );
}

function greatest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if ((logits[id] ?? 0) > (logits[best] ?? 0)) best = id;
  return best;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}
