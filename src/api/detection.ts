import type { Verdict } from "../verdict/verdict.ts";

/** A line as a caller sends it. */
export interface LogLine {
  message: string;
  /** Milliseconds since the epoch. */
  time?: number;
  /** Where it was written, in the caller's words. */
  source?: string;
}

export interface WindowOptions {
  /** Lines of a window, and from one's begin to the next one's. */
  windowSize: number;
  stride: number;
  /** Windows judged at once at most. */
  batchSize: number;
  /** The model's own words, too. */
  rawOutput: boolean;
}

export interface DetectionRun {
  onVerdict: (verdict: Verdict) => void | Promise<void>;
  /** For how long the model was asked, each time. */
  onInference?: (seconds: number) => void;
  /** So many windows are left out: they are known. */
  skip?: number;
  signal?: AbortSignal;
}

export interface DetectionModel {
  name: string;
  version: string;
  /** That a window may have. */
  maxLines: number;
}

/** Judges lines that are at hand, with the code of the stream. */
export interface Detection {
  /** Makes the model ready. @throws LogGuardianError LG_BUNDLE_*, LG_NATIVE_*. */
  open(): Promise<DetectionModel>;
  /** The model, if it is ready. */
  model(): DetectionModel | undefined;
  /**
   * Verdicts in the windows' order, as they come. Their lines' offsets are places among those given, from 0.
   * @throws LogGuardianError LG_WINDOW_SPEC, LG_BUNDLE_*, LG_NATIVE_*; the signal's reason.
   */
  detect(lines: readonly LogLine[], options: WindowOptions, run: DetectionRun): Promise<void>;
  close(): Promise<void>;
}
