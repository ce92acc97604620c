import type { Line } from "../ingest/line.ts";

/** Why a window closed. */
export type CloseReason = "full" | "gap" | "end" | "time" | "flush" | "evicted" | "limit";

/** When windows are judged before they close. */
export interface EarlySpec {
  /** At each multiple of so many lines. */
  everyLines: number;
  /** And no further: what lies beyond is not scored. */
  maxLines: number;
}

/** Consecutive lines of one window key, ready to be scored. */
export interface Window {
  /**
   * Hash of pipeline, window key and the position of the first line in the order of scoring, in its topic's incarnation;
   * of time windows also of where they begin.
   */
  id: string;
  pipeline: string;
  key: string;
  /** 0 where there is only one. Where windows are judged early too, it counts up, and the last is final. */
  revision: number;
  /** `open`: it goes on, and this is an early revision. */
  reason: CloseReason | "open";
  /** Event times of the first and last line, milliseconds since the epoch. */
  start: number;
  end: number;
  /** In the order of scoring. */
  lines: Line[];
  maskHash: string;
  /** Ids of early revisions of these lines: a window's first line may come late, or join it to another. */
  formerIds: string[];
}

/** How a pipeline cuts lines into windows. */
export type WindowSpec =
  | {
      kind: "sliding" /** lines */;
      size: number /** lines */;
      stride: number /** a key silent for longer ends; never without it */;
      idleMs?: number;
    }
  | SessionSpec
  | TimeSpec;

export interface SessionSpec {
  kind: "session";
  gapMs: number;
  /** A session of so many lines closes with reason `limit`. */
  maxLines: number;
  /** RE2 syntax: a line with it is the last of its session, which closes with reason `end`. */
  end?: string;
}

export interface TimeSpec {
  kind: "time";
  spanMs: number;
  /** From one window's begin to the next one's. */
  slideMs: number;
  /** How far stream time must have passed a window's end for it to close. */
  latenessMs: number;
  /** A window of so many lines closes with reason `limit`, with all windows of its key. */
  maxLines: number;
}
