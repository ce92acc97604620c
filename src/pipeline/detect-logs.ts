import type { Judgement } from "../classify/judgement.ts";
import { createFormat } from "../ingest/formats/index.ts";
import type { RawRecord } from "../ingest/line.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { runEmbedded } from "./embedded.ts";
import { type ModelOptions, withModel } from "./open-model.ts";
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
  const lines = typeof logs === "string" ? logs.replace(/\n$/, "").split("\n") : logs;
  if (lines.length === 0 || logs === "") return [];
  return withModel({ ...rest, rawOutput, inference: { ...inference, batchSize } }, async (model) => {
    const stages = createStages(model, {
      pipeline: "detect",
      format: createFormat("text"),
      layout: "none",
      key: { kind: "origin" },
      window: { kind: "sliding", size: windowSize, stride },
      batchWindows: batchSize,
    });
    const detections: Detection[] = [];
    await runEmbedded(
      stages,
      [{ name: "logs", batches: recordsOf(lines) }],
      {
        onVerdict: (verdict) => void detections.push(detectionOf(verdict, lines, rawOutput)),
        onDeadLetter: ({ error }) => {
          throw error;
        },
      },
      { maxPendingWindows: 4 * batchSize },
    );
    return detections;
  });
}

async function* recordsOf(lines: readonly string[]): AsyncGenerator<RawRecord[]> {
  const timestamp = Date.now();
  yield lines.map((line, offset) => ({
    topic: "logs",
    partition: 0,
    offset,
    key: null,
    // An empty line is a line: it keeps its place in the window.
    value: Buffer.from(line === "" ? " " : line),
    headers: {},
    timestamp,
    origin: {},
  }));
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
