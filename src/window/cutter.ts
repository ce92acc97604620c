import type { Line } from "../ingest/line.ts";
import type { CloseReason } from "./window.ts";

/** Lines of one key that belong together, closed, in the order of scoring. */
export interface Cut {
  key: string;
  lines: Line[];
  reason: CloseReason;
}

/** One kind of window: pure, fed line by line in the order of the lines queue. */
export interface Cutter {
  add(key: string, line: Line): Cut[];
  /** What stream time has ended. */
  advance(streamTime: number): Cut[];
  /** Closes everything that is open. */
  flush(): Cut[];
  openWindows(): number;
}
