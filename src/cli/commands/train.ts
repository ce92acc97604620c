import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { join, parse } from "node:path";
import { pythonModule } from "../../uv.ts";

/** Options by name, as the trainer's own command line has them. */
export type TrainOptions = Record<string, string> & { config: string };

/** Runs the trainer, shows what it says, and answers as it does. A kill reaches it, and its checkpoints stay. */
export async function trainCommand(options: TrainOptions): Promise<void> {
  const out = options.out ?? join("build", parse(options.config).name);
  const args = Object.entries({ ...options, out }).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    value,
  ]);
  const { program, args: python, env } = pythonModule("logguardian_training", ["train", ...args], "training");
  const child = spawn(program, python, { stdio: "inherit", env });
  // A terminal's Ctrl-C reaches it by itself; this process only has to outlive it.
  const stay = () => {};
  const end = () => child.kill("SIGTERM");
  process.on("SIGINT", stay).on("SIGTERM", end);
  try {
    const [code, signal] = await once(child, "close");
    process.exitCode = code ?? 128 + constants.signals[signal as NodeJS.Signals];
  } finally {
    process.off("SIGINT", stay).off("SIGTERM", end);
  }
}
