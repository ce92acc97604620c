import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import type { LabelledWindow, ReadingNotes } from "./labelled-window.ts";
import { type LineView, readRawLines, readRows } from "./lines.ts";
import { contentsOf, slide, type WindowSize } from "./slide.ts";

const application = /application_\d+_\d+/;

/** LogHub's name of the label list, in the folder with the logs. */
export const hadoopLabelFile = "abnormal_label.txt";

/**
 * LogHub's Hadoop: folders `application_<cluster>_<job>` with one log per container, and a list that names jobs under
 * headings (`Normal:`, `Machine down:`, `Network disconnection:`, `Disk full:`). Labels belong to jobs, so each job is
 * one group: its containers' logs are cut into windows and the highest score is the job's. Without a
 * label list every job is given label 0.
 * @throws LogGuardianError LG_DATASET_LABEL, LG_FILE_UNREADABLE.
 */
export async function* readHadoop(
  folder: string,
  labelsPath: string | undefined,
  window: WindowSize,
  view: LineView,
  notes: ReadingNotes,
): AsyncGenerator<LabelledWindow> {
  const logs = await logsByJob(folder);
  const labels = labelsPath === undefined ? undefined : await readJobLabels(labelsPath);
  if (labels !== undefined) {
    const missing = [...logs.keys()].filter((job) => !labels.has(job));
    if (missing.length > 0) {
      throw new LogGuardianError(
        "LG_DATASET_LABEL",
        `${labelsPath} does not name ${missing.length} of ${logs.size} jobs, such as ${missing[0]}.`,
        "Use the label list that belongs to the logs.",
      );
    }
    notes.labelsUnused = [...labels.keys()].filter((job) => !logs.has(job)).length;
  }
  for (const [job, paths] of logs) {
    for (const path of paths) {
      for await (const lines of slide(readRawLines(path, "hadoop", view, notes), window))
        yield { label: labels?.get(job) ?? 0, count: 1, ...contentsOf(lines), group: job };
    }
  }
}

async function logsByJob(folder: string): Promise<Map<string, string[]>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch((thrown) => {
    throw new LogGuardianError(
      "LG_FILE_UNREADABLE",
      `${folder} cannot be read: ${reasonOf(thrown)}.`,
      "Give the folder that holds the application_… folders.",
      thrown,
    );
  });
  const logs = new Map<string, string[]>();
  const paths = names.filter((name) => name.isFile()).map((name) => join(name.parentPath, name.name));
  for (const path of paths.sort()) {
    const [job] = application.exec(relative(folder, path).split(sep)[0] ?? "") ?? [];
    if (job === undefined) continue;
    const known = logs.get(job);
    if (known === undefined) logs.set(job, [path]);
    else known.push(path);
  }
  return logs;
}

async function readJobLabels(path: string): Promise<Map<string, 0 | 1>> {
  const labels = new Map<string, 0 | 1>();
  let heading: string | undefined;
  for await (const { row } of readRows(path)) {
    const [job] = application.exec(row) ?? [];
    if (job === undefined) heading = /^\s*([A-Za-z][A-Za-z ]*):\s*$/.exec(row)?.[1]?.toLowerCase() ?? heading;
    else if (heading === undefined) continue;
    else labels.set(job, heading === "normal" ? 0 : 1);
  }
  if (labels.size > 0) return labels;
  throw new LogGuardianError(
    "LG_DATASET_LABEL",
    `${path} names no application_… under a heading such as "Normal:".`,
    `Give LogHub's ${hadoopLabelFile} with --labels.`,
  );
}
