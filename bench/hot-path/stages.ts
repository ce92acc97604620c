import { scoreOf } from "../../src/classify/calibration.ts";
import { windowKey } from "../../src/classify/verdict-cache.ts";
import { decodePieces } from "../../src/classify/window-batch.ts";
import { windowVectors } from "../../src/classify/window-vectors.ts";
import type { ProgressLine } from "../../src/cli/progress.ts";
import { createLineTokenizer } from "../../src/embed/tokenizer.ts";
import { LogGuardianError } from "../../src/errors.ts";
import { createFormat } from "../../src/ingest/formats/index.ts";
import type { RawRecord } from "../../src/ingest/line.ts";
import { latestTime } from "../../src/ingest/lines-message.ts";
import type { Manifest } from "../../src/model/manifest.ts";
import { type OpenModel, withModel } from "../../src/pipeline/open-model.ts";
import { lineMaskerOf } from "../../src/pipeline/stages.ts";
import { anomalyOf, encodeAnomaly } from "../../src/verdict/anomaly.ts";
import type { Verdict } from "../../src/verdict/verdict.ts";
import type { Window } from "../../src/window/window.ts";
import { batchWindows, hdfsRecords, hdfsStages } from "./hdfs-log.ts";
import { uncached } from "./windows.ts";
import { batchesOf } from "./windows-data.ts";

export interface StageTimes {
  lines: number;
  windows: number;
  /** Windows and lines that were computed: of a batch each distinct one. */
  decoded: number;
  embedded: number;
  /** CPU-microseconds for a raw line, in the order of the way. */
  stages: Record<string, number>;
}

type Part =
  | "read"
  | "ingest"
  | "decode"
  | "mask"
  | "window"
  | "vectors"
  | "tokenize"
  | "join"
  | "score"
  | "pieces"
  | "publish";

/**
 * The stages one after another over the same lines, each called from outside. Where one call holds several of them, the
 * inner ones are done once more alone and taken off.
 */
export function measureStages(lines: number, progress: ProgressLine): Promise<StageTimes> {
  return withModel({ inference: uncached }, async (model) => {
    const clock = createClock();
    const windows = await ingestAndCut(model, lines, clock);
    const { verdicts, decoded, embedded } = await scoreAll(model, windows, clock, progress);
    await clock.time("publish", () => {
      for (const verdict of verdicts) encodeAnomaly(anomalyOf(verdict));
    });
    const { read, ingest, decode, mask, window, vectors, tokenize, join, score, pieces, publish } =
      clock.seconds;
    const seconds = {
      read,
      decode,
      mask,
      key: ingest - decode - mask,
      window,
      tokenize,
      embed: vectors - tokenize - join,
      assemble: join + pieces,
      Llama: score - pieces,
      publish,
    };
    const stages = Object.fromEntries(
      Object.entries(seconds).map(([stage, spent]) => [stage, (1e6 * spent) / lines]),
    );
    return { lines, windows: windows.length, decoded, embedded, stages };
  });
}

type Clock = ReturnType<typeof createClock>;

function createClock() {
  const seconds: Record<Part, number> = {
    read: 0,
    ingest: 0,
    decode: 0,
    mask: 0,
    window: 0,
    vectors: 0,
    tokenize: 0,
    join: 0,
    score: 0,
    pieces: 0,
    publish: 0,
  };
  return {
    seconds,
    async time<T>(part: Part, work: () => T | Promise<T>): Promise<T> {
      const before = process.cpuUsage();
      const result = await work();
      const { user, system } = process.cpuUsage(before);
      seconds[part] += (user + system) / 1e6;
      return result;
    },
  };
}

async function ingestAndCut(model: OpenModel, lines: number, clock: Clock): Promise<Window[]> {
  const { ingester, windower } = hdfsStages(model);
  const format = createFormat("text");
  const masker = lineMaskerOf(model.bundle.manifest, { layout: "hdfs" });
  const source = { topic: "hdfs", incarnation: "1", partition: 0 };
  const topics = [{ topic: "hdfs", partitions: 1 }];
  const batches = await clock.time("read", async () => {
    const read: RawRecord[][] = [];
    for await (const records of hdfsRecords(lines)) read.push(records);
    return read;
  });
  const windows: Window[] = [];
  await windower.resume();
  let offset = 0;
  const advance = (chunks: Parameters<typeof windower.advance>[0][number]["message"][]) =>
    clock.time("window", async () => {
      const closed = await windower.advance(chunks.map((message) => ({ offset: offset++, message })));
      await windower.published(closed.map(({ id }) => id));
      windows.push(...closed);
    });
  for (const records of batches) {
    const { chunks } = await clock.time("ingest", () => ingester.ingest(source, records, topics));
    const decoded = await clock.time("decode", () => records.flatMap((record) => format.decode(record)));
    await clock.time("mask", () => {
      for (const { text } of decoded) masker.mask(text);
    });
    await advance(chunks.map(({ message }) => message));
  }
  await advance(ingester.idle(source, latestTime, topics).map(({ message }) => message));
  await advance([{ kind: "flush", label: "end of input" }]);
  return windows;
}

/** In batches as `logguardian detect` judges them, of which each distinct window is computed once. */
async function scoreAll(
  { bundle, embedder, scorer }: OpenModel,
  windows: readonly Window[],
  clock: Clock,
  progress: ProgressLine,
): Promise<{ verdicts: Verdict[]; decoded: number; embedded: number }> {
  const { manifest } = bundle;
  const { encode } = createLineTokenizer(bundle.path(manifest.embedder.tokenizer), manifest.text.maxTokens);
  const [before, after] = [0, manifest.prompt.after.ids.length];
  const suffix = new Float32Array(after * embedder.width);
  const verdicts: Verdict[] = [];
  const total = { decoded: 0, embedded: 0 };
  for (const batch of batchesOf(windows, batchWindows)) {
    const keyed = batch.map((window) => {
      const masked = window.lines.map((line) => line.masked).slice(0, manifest.window.maxLines);
      return { window, masked, key: windowKey(bundle.id, masked) };
    });
    const distinct = new Map(keyed.map(({ key, masked }) => [key, masked]));
    const lines = [...distinct.values()];
    const texts = new Set(lines.flat());
    const vectors = await clock.time("vectors", () => windowVectors(embedder, lines));
    await clock.time("tokenize", () => {
      for (const text of texts) encode(text);
    });
    const known = vectors.flatMap((one) => one.lines);
    await clock.time("join", () => windowVectors({ ...embedder, embed: async () => known }, lines));
    const joined = vectors.map((one) => one.joined);
    const scored = await clock.time("score", () => scorer.score(joined));
    await clock.time("pieces", () => {
      const pieces = joined.map((window, sequence) => ({
        parts: [window, suffix],
        sequence,
        from: before,
        output: true,
      }));
      for (const some of batchesOf(pieces)) decodePieces(some, embedder.width);
    });
    const margins = new Map(
      [...distinct.keys()].map((key, place) => {
        const logits = scored[place];
        if (logits === undefined || logits instanceof LogGuardianError) throw logits;
        return [key, logits];
      }),
    );
    for (const { window, key, masked } of keyed) {
      const logits = margins.get(key);
      if (logits !== undefined) verdicts.push(verdictOf(window, masked.length, logits, manifest));
    }
    total.decoded += lines.length;
    total.embedded += texts.size;
    progress.show("windows through the stages", verdicts.length, windows.length);
  }
  return { verdicts, ...total };
}

function verdictOf(
  window: Window,
  linesScored: number,
  logits: { normal: number; anomalous: number },
  { name, version, threshold, calibration }: Manifest,
): Verdict {
  const margin = logits.anomalous - logits.normal;
  const score = scoreOf(margin, calibration);
  const verdict = score >= threshold ? "anomalous" : "normal";
  return { window, verdict, score, margin, logits, threshold, linesScored, model: { name, version } };
}
