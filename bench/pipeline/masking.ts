import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRecords } from "../../src/ingest/file-source.ts";
import { logllmVariables } from "../../src/mask/logllm.ts";
import { createMasker } from "../../src/mask/masker.ts";
import { findUv } from "../../src/uv.ts";
import { dataFile, root } from "../../test/support/data.ts";

export interface MaskingFigures {
  lines: number;
  oursMicroseconds: number;
  drain3Microseconds: number;
  /** How much less of the processor ours takes. */
  ratio: number;
}

/** The same lines by the same rule, here and in Drain3 (PyPI), whose answers must be equal. */
export async function measureMasking(most: number): Promise<MaskingFigures> {
  const lines = await linesOf("hdfs/raw_2pct.log.xz", most);
  const { mask } = createMasker({ profile: "logllm" });
  const before = process.cpuUsage();
  const masked = lines.map(mask);
  const { user, system } = process.cpuUsage(before);
  const ours = (user + system) / 1e6;
  const drain3 = maskWithDrain3(lines);
  const sha256 = createHash("sha256").update(masked.join("\n")).digest("hex");
  if (sha256 !== drain3.sha256)
    throw new Error("Drain3 masks these lines otherwise: the rules are not the same.");
  return {
    lines: lines.length,
    oursMicroseconds: (1e6 * ours) / lines.length,
    drain3Microseconds: (1e6 * drain3.cpuSeconds) / lines.length,
    ratio: drain3.cpuSeconds / ours,
  };
}

function maskWithDrain3(lines: readonly string[]): { cpuSeconds: number; sha256: string } {
  const folder = mkdtempSync(join(tmpdir(), "logguardian-bench-"));
  try {
    const path = join(folder, "lines.txt");
    writeFileSync(path, lines.join("\n"));
    const script = join(import.meta.dirname, "drain3_masking.py");
    const project = ["--quiet", "--frozen", "--project", join(root, "training")];
    const { status, stdout, stderr } = spawnSync(
      findUv("Drain3's masking"),
      ["run", ...project, "python", script, inPython(logllmVariables), path],
      { encoding: "utf8", maxBuffer: 2 ** 26 },
    );
    if (status !== 0) throw new Error(`Drain3 does not run: ${stderr}`);
    return JSON.parse(stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Python's classes are Unicode's already, and it looks back over texts of one length only. */
function inPython({ source }: RegExp): string {
  return source
    .replaceAll("(?<![\\p{L}\\p{N}_]|<\\*>)", "(?<!\\w)(?<!<\\*>)")
    .replaceAll("[\\p{L}\\p{N}_]", "\\w")
    .replaceAll("\\p{L}\\p{N}_", "\\w")
    .replaceAll("\\p{Nd}", "\\d");
}

/** Lines without runs of dots, which ours shortens before it masks. */
async function linesOf(file: string, most: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const records of readRecords(dataFile(file)))
    for (const { value } of records) {
      const line = value?.toString("latin1") ?? "";
      if (!line.includes("...")) lines.push(line);
      if (lines.length === most) return lines;
    }
  return lines;
}
