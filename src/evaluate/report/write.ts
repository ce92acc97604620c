import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import type { Summary } from "../summary.ts";
import { htmlReport } from "./html.ts";
import { markdownReport } from "./markdown.ts";

/** Before the work, not after it. @throws LogGuardianError LG_REPORT_WRITE. */
export async function createReportFolder(folder: string): Promise<void> {
  await createFolder(resolve(folder)).catch((thrown) => {
    throw notWritten(folder, thrown);
  });
}

/** Node's own recursive mkdir never ends below /proc, where the parent is there and the folder cannot be. */
async function createFolder(folder: string): Promise<void> {
  const made = await stat(folder).catch(() => undefined);
  if (made?.isDirectory()) return;
  if (dirname(folder) !== folder) await createFolder(dirname(folder));
  await mkdir(folder);
}

/** Writes report.md, report.html and metrics.json. @throws LogGuardianError LG_REPORT_WRITE. */
export function writeReport(folder: string, summary: Summary): Promise<void> {
  return writeReportFiles(folder, {
    "metrics.json": `${JSON.stringify(summary, null, 2)}\n`,
    "report.md": markdownReport(summary),
    "report.html": htmlReport(summary),
  });
}

/** Files by name. @throws LogGuardianError LG_REPORT_WRITE. */
export async function writeReportFiles(folder: string, files: Record<string, string>): Promise<void> {
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  } catch (thrown) {
    throw notWritten(folder, thrown);
  }
}

function notWritten(folder: string, thrown: unknown): LogGuardianError {
  return new LogGuardianError(
    "LG_REPORT_WRITE",
    `The report cannot be written to ${folder}: ${reasonOf(thrown)}.`,
    "Give --report a folder that may be written.",
    thrown,
  );
}
