/** A window with its label: 1 is anomalous. */
export interface LabelledWindow {
  label: 0 | 1;
  /** Masked lines in their order. */
  masked: string[];
  /** How often it occurs; a row of JSON lines may stand for many. */
  count: number;
  /** Times of its first and last line, milliseconds since the epoch; absent where the lines carry none. */
  start?: number;
  end?: number;
  /** Number of its first line in the log; there only where windows overlap, and so share lines. */
  firstLine?: number;
  /** Masked lines that carry an alert tag of their own, where the data set labels lines. */
  alerts?: string[];
  /** Windows of one group share one label (a job of Hadoop): the highest score of the group is the group's. */
  group?: string;
}

/** What a reader met on its way. Filled while the windows are read; complete when they end. */
export interface ReadingNotes {
  lines: number;
  /** Lines whose header fits no layout: judged, with all of their text as content. */
  linesWithoutLayout: number;
  /** Lines that belong to no window (a line of HDFS without a block id). */
  linesWithoutWindow: number;
  /** Labels of the label file that the log has nothing for. */
  labelsUnused: number;
}

export function emptyNotes(): ReadingNotes {
  return { lines: 0, linesWithoutLayout: 0, linesWithoutWindow: 0, labelsUnused: 0 };
}
