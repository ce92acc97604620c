import { type Command, Option } from "commander";
import { quantizations } from "../classify/quantizations.ts";

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
  model
    .command("quantize")
    .description("rewrite a language model's GGUF file in another type, by llama.cpp itself")
    .argument("<source>", "GGUF file in f32, f16 or bf16")
    .argument("<target>", "GGUF file to write")
    .addOption(new Option("--type <type>", "of the matrices").choices(quantizations).makeOptionMandatory())
    .option("--threads <n>", "0: all", "0")
    .addHelpText("after", "\nExample:\n  logguardian model quantize llama-f16.gguf llama.gguf --type q8_0")
    .action(async (source, target, options) =>
      (await import("./commands/model/quantize.ts")).quantizeCommand(source, target, options),
    );
}
