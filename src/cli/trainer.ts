import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { pythonModule } from "../uv.ts";

/** Options by name, as the trainer's own command line has them; a flag is true, one that may be repeated is a list. */
export type TrainerOptions = Record<string, string | true | readonly string[]>;

/**
 * Runs a command of the trainer, shows what it says, and answers as it does. A kill reaches it, and its checkpoints stay.
 * @param what that needs it, for the message where uv is missing
 * @throws LogGuardianError LG_UV_MISSING.
 */
export async function runTrainer(command: string, options: TrainerOptions, what: string): Promise<void> {
  const { program, args, env } = pythonModule(
    "logguardian_training",
    [command, ...argumentsOf(options)],
    what,
  );
  const child = spawn(program, args, { stdio: "inherit", env });
  // A terminal's Ctrl-C reaches it by itself; this process only has to outlive it.
  const stay = () => {};
  const end = () => child.kill("SIGTERM");
  process.on("SIGINT", stay).on("SIGTERM", end);
  try {
    const [code, signal] = await once(child, "close");
    process.exitCode = code ?? 128 + constants.signals[signal as NodeJS.Signals];
    // uv answers for a trainer that a signal ended as a shell does.
    if (process.exitCode === 128 + constants.signals.SIGKILL)
      console.error(
        `The Python process was killed (SIGKILL), most likely because memory ran out. ${command === "train" ? "The same command goes on from the last checkpoint; fewer --jobs need less memory." : "Free memory and run the same command again."}`,
      );
  } finally {
    process.off("SIGINT", stay).off("SIGTERM", end);
  }
}

function argumentsOf(options: TrainerOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === true) return option;
    return [value].flat().flatMap((one) => [option, one]);
  });
}
