import { LogGuardianError } from "../errors.ts";
import { readRecords } from "../ingest/file-source.ts";
import { layouts, render } from "../ingest/layouts.ts";
import type { Masker } from "../mask/masker.ts";

/** A window with its label: 1 is anomalous. */
export interface LabelledWindow {
  label: 0 | 1;
  masked: string[];
}

/** Rows `{"label": 0 or 1, "lines": [...]}`; lines are contents without header, masked already or not. */
export async function* readJsonLines(path: string, masker: Masker): AsyncGenerator<LabelledWindow> {
  for await (const records of readWholeLines(path)) {
    for (const { number, line } of records) {
      if (line === "") continue;
      const { label, lines } = parseRow(line, path, number);
      yield { label, masked: lines.map((content) => masker.mask(content)) };
    }
  }
}

/** A raw HDFS log, its sessions by block, labelled by a file of rows `BlockId,Normal` or `BlockId,Anomaly`. */
export async function* readHdfs(
  path: string,
  labelsPath: string,
  options: { masker: Masker; template: string },
): AsyncGenerator<LabelledWindow> {
  const labels = await readLabels(labelsPath);
  const sessions = new Map<string, string[]>();
  for await (const records of readWholeLines(path)) {
    for (const { line } of records) {
      const fields = layouts.hdfs.parse(line)?.fields ?? { content: line };
      const masked = options.masker.mask(render(options.template, fields));
      for (const block of new Set(line.match(/blk_-?\d+/g))) {
        const lines = sessions.get(block);
        if (lines === undefined) sessions.set(block, [masked]);
        else lines.push(masked);
      }
    }
  }
  for (const [block, masked] of sessions) {
    const label = labels.get(block);
    if (label === undefined) {
      throw new LogGuardianError(
        "LG_DATASET_LABEL",
        `${labelsPath} has no label for ${block}.`,
        "Use the label file that belongs to the log.",
      );
    }
    yield { label, masked };
  }
}

async function readLabels(path: string): Promise<Map<string, 0 | 1>> {
  const labels = new Map<string, 0 | 1>();
  for await (const records of readWholeLines(path)) {
    for (const { number, line } of records) {
      const [block = "", label] = line.split(",");
      if (label === "Normal" || label === "Anomaly") labels.set(block, label === "Anomaly" ? 1 : 0);
      else if (number > 1 && line !== "")
        throw badRow(path, number, "is not BlockId,Normal or BlockId,Anomaly");
    }
  }
  return labels;
}

async function* readWholeLines(path: string): AsyncGenerator<{ number: number; line: string }[]> {
  for await (const records of readRecords(path, { wholeLines: true })) {
    yield records.map((record) => ({
      number: record.offset + 1,
      line: record.value?.toString("utf8").replace(/\r$/, "") ?? "",
    }));
  }
}

function parseRow(line: string, path: string, number: number): { label: 0 | 1; lines: string[] } {
  let row: { label?: unknown; lines?: unknown } | null;
  try {
    row = JSON.parse(line);
  } catch (thrown) {
    throw badRow(path, number, "is not JSON", thrown);
  }
  const { label, lines } = row ?? {};
  if (label !== 0 && label !== 1) throw badRow(path, number, 'has no "label" of 0 or 1');
  if (!Array.isArray(lines) || lines.length === 0 || !lines.every((content) => typeof content === "string")) {
    throw badRow(path, number, 'has no "lines" with at least one text');
  }
  return { label, lines };
}

function badRow(path: string, number: number, what: string, cause?: unknown): LogGuardianError {
  return new LogGuardianError(
    "LG_DATASET_ROW",
    `${path}, line ${number} ${what}.`,
    "Correct the row or leave it out.",
    cause,
  );
}
