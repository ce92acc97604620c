import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { root } from "./data.ts";

export interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Starts `logguardian` as a process; the caller may serve it meanwhile, or end it. */
export function startCli(
  args: string[],
  env: Record<string, string> = {},
  cwd = process.cwd(),
): { process: ChildProcessByStdio<Writable, Readable, Readable>; finished: Promise<Finished> } {
  const child = spawn(process.execPath, [join(root, "bin/logguardian.js"), ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...env },
    cwd,
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const finished = Promise.all([ended, text(child.stdout), text(child.stderr)]).then(
    ([status, stdout, stderr]) => ({ status, stdout, stderr }),
  );
  return { process: child, finished };
}

/** Runs `logguardian` to its end. */
export function runCli(args: string[], input = "", env: Record<string, string> = {}): Promise<Finished> {
  const started = startCli(args, env);
  started.process.stdin.end(input);
  return started.finished;
}

/** What it wrote, one JSON value a line. */
export function jsonRows({ stdout }: Finished) {
  return stdout
    .trim()
    .split("\n")
    .map((row) => JSON.parse(row));
}
