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
export async function writeReport(folder: string, summary: Summary): Promise<void> {
  try {
    await writeFile(join(folder, "metrics.json"), `${JSON.stringify(summary, null, 2)}\n`);
    await writeFile(join(folder, "report.md"), markdownReport(summary));
    await writeFile(join(folder, "report.html"), htmlReport(summary));
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
