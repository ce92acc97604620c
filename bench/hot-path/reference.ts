import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { ProgressLine } from "../../src/cli/progress.ts";
import { findUv } from "../../src/uv.ts";
import { root } from "../../test/support/data.ts";
import { threads } from "./figure.ts";
import type { Spent } from "./rounds.ts";
import type { MaskedWindow } from "./windows-data.ts";

export interface ReferenceAnswers extends Spent {
  /** Of each window. */
  margins: number[];
}

/**
 * LogLLM's own loop in PyTorch with the bundle's weights (training/logguardian_baselines/reference.py): every line
 * embedded, greedy generation, 32 windows a batch. What it spends does not hold the loading of the weights.
 */
export async function judgeByReference(
  bundleDir: string,
  windows: readonly MaskedWindow[],
  progress: ProgressLine,
): Promise<ReferenceAnswers> {
  const folder = mkdtempSync(join(tmpdir(), "logguardian-bench-"));
  try {
    const path = join(folder, "windows.jsonl");
    writeFileSync(path, windows.map((lines) => `${JSON.stringify({ lines })}\n`).join(""));
    const project = join(root, "training");
    const script = join(import.meta.dirname, "reference.py");
    const child = spawn(
      findUv("the reference"),
      [
        "run",
        "--quiet",
        "--frozen",
        "--project",
        project,
        "python",
        script,
        bundleDir,
        path,
        String(threads),
      ],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, PYTHONPATH: project, OMP_NUM_THREADS: String(threads) },
      },
    );
    const end = () => child.kill();
    process.once("exit", end);
    let last = "";
    createInterface({ input: child.stderr }).on("line", (line) => {
      last = line;
      progress.show(`reference: ${line}`);
    });
    const [answers, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
    process.off("exit", end);
    if (code !== 0) throw new Error(`The reference does not run: ${last}`);
    return JSON.parse(answers);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
