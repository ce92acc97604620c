import { setImmediate } from "node:timers/promises";
import type { DetectionRun, LogLine, WindowOptions } from "../api/detection.ts";
import type { Judgement } from "../classify/judgement.ts";
import { detectPipeline } from "../config/pipeline-schema.ts";
import { createFormat } from "../ingest/formats/index.ts";
import type { RawRecord } from "../ingest/line.ts";
import type { Verdict } from "../verdict/verdict.ts";
import type { Detector } from "./detector.ts";
import { runEmbedded } from "./embedded.ts";
import { type ModelOptions, type OpenModel, withModel } from "./open-model.ts";
import { createStages } from "./stages.ts";

export interface DetectOptions extends Pick<ModelOptions, "bundleDir" | "threshold" | "inference"> {
  /** Windows in one decode at most. */
  batchSize?: number;
  /** Lines of a window. */
  windowSize?: number;
  /** Lines from one window's begin to the next one's. */
  stride?: number;
  /** Adds logits, margin and the model's own words. */
  rawOutput?: boolean;
}

/** The judgement of one window of the given logs. */
export interface Detection {
  /** Places of the window's first and last line among the logs, from 0. */
  window: { first: number; last: number };
  lines: string[];
  verdict: Judgement["verdict"];
  anomalous: boolean;
  score: number | null;
  threshold: number;
  /** One per line; only for anomalous windows. */
  weights?: number[];
  /** How unlike all lines of training the window's most unlike line is, 0 to 2; where the bundle can tell. */
  novelty?: number;
  /** The same for each line. */
  lineNovelties?: number[];
  /** Why the window is undecided. */
  reason?: string;
  margin?: number | null;
  logits?: Judgement["logits"];
  answer?: string;
}

/**
 * Judges log lines in sliding windows, with the same code as the stream.
 *
 * Loads the model, judges, and closes it again. @param logs one string (its lines) or one string per line.
 * @throws LogGuardianError LG_WINDOW_SPEC, LG_BUNDLE_*, LG_NATIVE_*.
 */
export async function detect(
  logs: string | readonly string[],
  options: DetectOptions = {},
): Promise<Detection[]> {
  const { batchSize = 16, windowSize = 10, stride = 5, rawOutput = false, inference, ...rest } = options;
  const texts = typeof logs === "string" ? logs.replace(/\n$/, "").split("\n") : logs;
  if (texts.length === 0 || logs === "") return [];
  return withModel({ ...rest, rawOutput, inference: { ...inference, batchSize } }, async (model) => {
    const detections: Detection[] = [];
    await detectLines(
      model,
      texts.map((message) => ({ message })),
      { windowSize, stride, batchSize },
      { onVerdict: (verdict) => void detections.push(detectionOf(verdict, texts, rawOutput)) },
    );
    return detections;
  });
}

/** Records that are masked at once, between which others have their turn. */
const linesAtOnce = 1000;

/**
 * Verdicts on sliding windows over lines, wherever each was written, in the windows' order, as they come. Their lines'
 * offsets are places among those given, from 0.
 * @param run.name of what the lines are of: equal lines of equal names give equal ids.
 * @throws LogGuardianError LG_WINDOW_SPEC; the signal's reason.
 */
export async function detectLines(
  model: OpenModel,
  lines: readonly LogLine[],
  { windowSize, stride, batchSize }: Pick<WindowOptions, "windowSize" | "stride" | "batchSize">,
  run: DetectionRun & { name?: string },
): Promise<void> {
  const { name = "logs", onVerdict, skip = 0, signal } = run;
  const { detector, ...stages } = createStages(model, {
    pipeline: detectPipeline,
    format: createFormat("text"),
    layout: "none",
    key: { kind: "kafka" },
    window: { kind: "sliding", size: windowSize, stride },
    batchWindows: batchSize,
  });
  let left = skip;
  const measured: Detector = {
    async detect(windows) {
      signal?.throwIfAborted();
      const known = Math.min(left, windows.length);
      left -= known;
      const began = performance.now();
      const verdicts = await detector.detect(windows.slice(known));
      run.onInference?.((performance.now() - began) / 1000);
      return verdicts;
    },
  };
  await runEmbedded(
    { ...stages, detector: measured },
    [{ name, batches: recordsOf(name, lines) }],
    {
      onVerdict,
      onDeadLetter: ({ error }) => {
        throw error;
      },
    },
    { maxPendingWindows: 4 * batchSize },
  );
}

/** All lines of one call stand in one order, whatever their origin. */
const oneKey = Buffer.from("logs");

async function* recordsOf(topic: string, lines: readonly LogLine[]): AsyncGenerator<RawRecord[]> {
  const now = Date.now();
  for (let from = 0; from < lines.length; from += linesAtOnce) {
    if (from > 0) await setImmediate();
    yield lines.slice(from, from + linesAtOnce).map(({ message, time = now, source }, place) => ({
      topic,
      partition: 0,
      offset: from + place,
      key: oneKey,
      // An empty line is a line: it keeps its place in the window.
      value: Buffer.from(message === "" ? " " : message),
      headers: {},
      timestamp: time,
      origin: source === undefined ? {} : { host: source },
    }));
  }
}

function detectionOf(verdict: Verdict, logs: readonly string[], rawOutput: boolean): Detection {
  const places = verdict.window.lines.map(({ position }) => position.offset);
  const detection: Detection = {
    window: { first: places[0] ?? 0, last: places.at(-1) ?? 0 },
    lines: places.map((place) => logs[place] ?? ""),
    verdict: verdict.verdict,
    anomalous: verdict.verdict === "anomalous",
    score: verdict.score,
    threshold: verdict.threshold,
  };
  if (verdict.weights !== undefined) detection.weights = verdict.weights;
  if (verdict.novelty !== undefined) detection.novelty = verdict.novelty;
  if (verdict.lineNovelties !== undefined) detection.lineNovelties = verdict.lineNovelties;
  if (verdict.reason !== undefined) detection.reason = verdict.reason;
  if (rawOutput) {
    detection.margin = verdict.margin;
    detection.logits = verdict.logits;
    if (verdict.answer !== undefined) detection.answer = verdict.answer;
  }
  return detection;
}
