import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import type { Summary } from "../summary.ts";
import { htmlReport } from "./html.ts";
import { markdownReport } from "./markdown.ts";

/** Before the work, not after it. @throws LogGuardianError LG_REPORT_WRITE. */
export async function createReportFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((thrown) => {
    throw notWritten(folder, thrown);
  });
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
