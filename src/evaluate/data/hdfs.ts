import { LogGuardianError } from "../../errors.ts";
import type { LabelledWindow, ReadingNotes } from "./labelled-window.ts";
import { badRow, type LineView, readRawLines, readRows } from "./lines.ts";

interface Session {
  masked: string[];
  start?: number;
  end?: number;
}

/**
 * A raw HDFS log, its sessions by block in the order in which they begin, labelled by LogHub's file of rows
 * `BlockId,Normal` or `BlockId,Anomaly`. Without a label file every session is given label 0.
 * @throws LogGuardianError LG_DATASET_LABEL where a block has no label, LG_DATASET_ROW.
 */
export async function* readHdfs(
  path: string,
  labelsPath: string | undefined,
  view: LineView,
  notes: ReadingNotes,
): AsyncGenerator<LabelledWindow> {
  const labels = labelsPath === undefined ? undefined : await readBlockLabels(labelsPath);
  const sessions = new Map<string, Session>();
  for await (const { text, masked, time } of readRawLines(path, "hdfs", view, notes)) {
    const blocks = new Set(text.match(/blk_-?\d+/g));
    if (blocks.size === 0) notes.linesWithoutWindow++;
    for (const block of blocks) {
      let session = sessions.get(block);
      if (session === undefined) {
        session = { masked: [] };
        sessions.set(block, session);
      }
      session.masked.push(masked);
      if (time !== undefined) {
        session.start = Math.min(session.start ?? time, time);
        session.end = Math.max(session.end ?? time, time);
      }
    }
  }
  if (labels !== undefined) {
    assertAllLabelled(sessions, labels, labelsPath ?? "");
    notes.labelsUnused = [...labels.keys()].filter((block) => !sessions.has(block)).length;
  }
  for (const [block, session] of sessions) yield { label: labels?.get(block) ?? 0, count: 1, ...session };
}

function assertAllLabelled(
  sessions: Map<string, Session>,
  labels: Map<string, 0 | 1>,
  labelsPath: string,
): void {
  const missing = [...sessions.keys()].filter((block) => !labels.has(block));
  if (missing.length === 0) return;
  throw new LogGuardianError(
    "LG_DATASET_LABEL",
    `${labelsPath} has no label for ${missing.length} of ${sessions.size} blocks, such as ${missing[0]}.`,
    "Use the label file that belongs to the log.",
  );
}

async function readBlockLabels(path: string): Promise<Map<string, 0 | 1>> {
  const labels = new Map<string, 0 | 1>();
  for await (const { number, row } of readRows(path)) {
    const [block = "", label] = row.split(",");
    if (label === "Normal" || label === "Anomaly") labels.set(block, label === "Anomaly" ? 1 : 0);
    // The first row is the header.
    else if (number > 1) throw badRow(path, number, "is not BlockId,Normal or BlockId,Anomaly");
  }
  return labels;
}
