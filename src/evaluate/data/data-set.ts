import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import { readAlertLog } from "./alert-logs.ts";
import type { DataFormat } from "./data-format.ts";
import { hadoopLabelFile, readHadoop } from "./hadoop.ts";
import { readHdfs } from "./hdfs.ts";
import { readJsonLines } from "./json-lines.ts";
import { emptyNotes, type LabelledWindow, type ReadingNotes } from "./labelled-window.ts";
import type { LineView } from "./lines.ts";
import type { WindowSize } from "./slide.ts";

export interface DataSource {
  /** A file, plain, .gz or .xz; of Hadoop the folder. */
  path: string;
  format: DataFormat;
  /** Label file of HDFS or label list of Hadoop. */
  labels?: string;
  /** Of raw logs that are no sessions. */
  window: WindowSize;
}

export interface DataSet {
  windows: AsyncIterable<LabelledWindow>;
  /** Complete when the windows have been read. */
  notes: ReadingNotes;
}

/**
 * What can be said before anything is read.
 * @throws LogGuardianError LG_USAGE, LG_FILE_UNREADABLE.
 */
export async function checkSource(
  { path, format, labels, window }: DataSource,
  train?: string,
): Promise<void> {
  const { size, stride } = window;
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(stride) || stride < 1 || stride > size) {
    throw new LogGuardianError(
      "LG_USAGE",
      `A window of ${size} lines every ${stride} lines is none.`,
      "Give whole numbers from 1 on, the stride at most the size, such as 100 or 100/50.",
    );
  }
  if (format === "hdfs" && labels === undefined) {
    throw new LogGuardianError(
      "LG_USAGE",
      "--format hdfs needs --labels.",
      "Give the label file, BlockId,Label.",
    );
  }
  for (const file of [path, labels ?? labelsWithin(path, format), train]) {
    if (file === undefined) continue;
    await access(file, constants.R_OK).catch((thrown) => {
      throw new LogGuardianError(
        "LG_FILE_UNREADABLE",
        `${file} cannot be read: ${reasonOf(thrown)}.`,
        "Check the path and its permissions.",
        thrown,
      );
    });
  }
}

function labelsWithin(path: string, format: DataFormat): string | undefined {
  return format === "hadoop" ? join(path, hadoopLabelFile) : undefined;
}

/** A source that `checkSource` has let pass. */
export function openDataSet(source: DataSource, view: LineView): DataSet {
  const { path, format, labels, window } = source;
  return openWindows(path, format, labels ?? labelsWithin(path, format), window, view);
}

/** The same files read for their lines alone: labels do not matter. JSON lines are known by their name. */
export function openTrainingData(source: DataSource, view: LineView): DataSet {
  const { path, window } = source;
  const format = /\.jsonl(\.gz|\.xz)?$/.test(path) ? "jsonl" : source.format;
  return openWindows(path, format, undefined, window, view);
}

function openWindows(
  path: string,
  format: DataFormat,
  labels: string | undefined,
  window: WindowSize,
  view: LineView,
): DataSet {
  const notes = emptyNotes();
  switch (format) {
    case "jsonl":
      return { windows: readJsonLines(path, view, notes), notes };
    case "hdfs":
      return { windows: readHdfs(path, labels, view, notes), notes };
    case "hadoop":
      return {
        windows: readHadoop(path, labels, window, view, notes),
        notes,
      };
    case "bgl":
      return { windows: readAlertLog(path, "bgl", window, view, notes), notes };
    default:
      return { windows: readAlertLog(path, "thunderbird", window, view, notes), notes };
  }
}
