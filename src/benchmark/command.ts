import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { readRows } from "../evaluate/data/lines.ts";
import type { Progress } from "./benchmark-data.ts";
import type { Answer } from "./method.ts";

/** A process that reads windows and writes scores; docs/benchmark.md describes the files. */
export interface Command {
  /** What messages call it. */
  name: string;
  program: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
}

export interface CommandResult {
  answers: Answer[];
  trainSeconds: number | null;
  scoreSeconds: number;
}

/**
 * Runs a command that has been told the paths, and reads what it wrote to `scores`: an answer for each window, and the
 * seconds that it spent; where it tells none, all the time it ran is scoring. Its last line on standard error is the progress, and
 * the reason where it fails.
 * @throws LogGuardianError LG_BENCHMARK_METHOD, LG_BENCHMARK_SCORES.
 */
export async function runCommand(
  command: Command,
  scores: string,
  windows: number,
  onProgress: Progress,
): Promise<CommandResult> {
  const start = performance.now();
  await finish(command, onProgress);
  const seconds = (performance.now() - start) / 1000;
  return { scoreSeconds: seconds, trainSeconds: null, ...(await readScores(command.name, scores, windows)) };
}

async function finish(
  { name, program, args, env = process.env }: Command,
  onProgress: Progress,
): Promise<void> {
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env,
    // A group of its own: what a shell or uv has started ends with it.
    detached: true,
  });
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
  };
  // It would go on where this process is ended from outside.
  process.once("exit", kill);
  const failed = (why: string, cause?: unknown) =>
    new LogGuardianError(
      "LG_BENCHMARK_METHOD",
      `The method ${name} failed: ${why.replace(/\.$/, "")}.`,
      "Correct what it says, choose other --methods, or give --keep-going to run the others.",
      cause,
    );
  let last = "";
  const reading = (async () => {
    for await (const line of createInterface({ input: child.stderr })) {
      // A progress bar draws over its own line.
      const shown = line.split("\r").at(-1)?.trim() ?? "";
      if (shown === "") continue;
      last = shown;
      onProgress(shown);
    }
  })();
  const ended = once(child, "close").catch((thrown) => {
    throw failed(`${program} cannot be run: ${reasonOf(thrown)}`, thrown);
  });
  const [[code, signal]] = await Promise.all([ended, reading]).finally(() => process.off("exit", kill));
  if (code === 0) return;
  throw failed(last === "" ? `it ended with ${signal ?? `exit code ${code}`} and said nothing` : last);
}

async function readScores(
  name: string,
  path: string,
  windows: number,
): Promise<Partial<CommandResult> & { answers: Answer[] }> {
  const wrong = (what: string) =>
    new LogGuardianError(
      "LG_BENCHMARK_SCORES",
      `The method ${name} ${what}.`,
      'Write one row {"score": number or null, "anomalous": true or false} for each test window, in their order.',
    );
  if (!existsSync(path)) throw wrong("wrote no scores");
  const answers: Answer[] = [];
  let seconds: Pick<CommandResult, "trainSeconds" | "scoreSeconds"> | undefined;
  for await (const { number, row } of readRows(path)) {
    let content: Record<string, unknown> | null;
    try {
      content = JSON.parse(row);
    } catch {
      throw wrong(`wrote what is not JSON as row ${number}`);
    }
    const { score, anomalous, trainSeconds = null, scoreSeconds } = content ?? {};
    if (isSeconds(scoreSeconds) && (trainSeconds === null || isSeconds(trainSeconds))) {
      seconds = { trainSeconds, scoreSeconds };
    } else if (typeof anomalous === "boolean" && (score === null || Number.isFinite(score))) {
      answers.push({ score: score as number | null, anomalous: anomalous && score !== null });
    } else throw wrong(`wrote a row ${number} that is no score`);
  }
  if (answers.length !== windows) throw wrong(`wrote ${answers.length} scores for ${windows} windows`);
  return { answers, ...seconds };
}

function isSeconds(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
