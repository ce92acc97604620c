import { CommanderError } from "commander";
import { LogGuardianError, reasonOf, told } from "../errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { createProgram } from "./program.ts";

// A reader that went away (`| head`) is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

/** Of values that only the code that uses them can judge. */
const usageCodes = new Set(["LG_USAGE", "LG_WINDOW_SPEC", "LG_WINDOW_END", "LG_KEY_PATTERN"]);

try {
  await createProgram().parseAsync();
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    process.exitCode = thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else {
    if (process.argv.includes("--debug")) console.error(thrown);
    else if (thrown instanceof LogGuardianError) console.error(told(thrown));
    else
      console.error(`Unexpected: ${reasonOf(thrown)}. Run again with --debug for the stack, and report it.`);
    // What could not be closed must not keep the process alive.
    process.exit(exitCodeOf(thrown));
  }
}

function exitCodeOf(thrown: unknown): number {
  if (!(thrown instanceof LogGuardianError)) return exitCodes.unexpected;
  return usageCodes.has(thrown.code) ? exitCodes.usage : exitCodes.failed;
}
