import type { Command } from "commander";

/** `logguardian model …`: all that is done with bundles. */
export function addModelCommands(program: Command): void {
  const model = program.command("model").description("look at bundles, check them, fetch them");
  model
    .command("inspect")
    .description("what a bundle's manifest says")
    .argument("[dir]", "bundle (default: the starter bundle)")
    .action(async (dir) => (await import("./commands/model/inspect.ts")).inspectCommand(dir));
  model
    .command("verify")
    .description("check a bundle's files and compare its margins with the trainer's")
    .argument("[dir]", "bundle (default: the starter bundle)")
    .action(async (dir) => (await import("./commands/model/verify.ts")).verifyCommand(dir));
  model
    .command("margins")
    .description('margins of windows of masked lines, rows {"lines": [...]} on standard input')
    .argument("[dir]", "bundle (default: the starter bundle)")
    .option("--trace", "each line's token ids and the first numbers of its vector too")
    .addHelpText(
      "after",
      `
Example:
  logguardian model margins models/starter < windows.jsonl
Writes one row a window, in order: {"margin", "normal", "anomalous"}, or {"error"} with the code of why it has none.
Of a window longer than the bundle's limit only its first lines are scored.`,
    )
    .action(async (dir, options) =>
      (await import("./commands/model/margins.ts")).marginsCommand(dir, options),
    );
}
