import { type Command, Option } from "commander";
import { quantizations } from "../classify/quantizations.ts";

/** `logguardian model …`: all that is done with bundles. */
export function addModelCommands(program: Command): void {
  const model = program.command("model").description("look at bundles, check them, fetch them");
  model
    .command("inspect")
    .description("what a bundle's manifest says")
    .argument("[dir]", "bundle (default: the starter bundle)")
    .option("--all", "files, origins and measured figures too")
    .option("--json", "the whole manifest as JSON, on a terminal too")
    .addHelpText(
      "after",
      `
Examples:
  logguardian model inspect
  logguardian model inspect --all
  logguardian model inspect models/mine --json
Its files are checked against the manifest's sha256. On a terminal it prints a table, in a pipe the manifest as JSON.`,
    )
    .action(async (dir, options) =>
      (await import("./commands/model/inspect.ts")).inspectCommand(dir, options),
    );
  model
    .command("verify")
    .description("check a bundle's files and compare its margins with the trainer's")
    .argument("[dir]", "bundle (default: the starter bundle)")
    .addHelpText(
      "after",
      `
Example:
  logguardian model verify models/mine
It checks sums, prompt, widths and native path, and scores the golden windows; an error names the part that differs.`,
    )
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
    .command("compare")
    .description("where two bundles disagree on the same windows")
    .argument("<a>", "bundle")
    .argument("<b>", "bundle")
    .requiredOption(
      "--data <file>",
      'rows {"lines": [...]}, with "label" where they are labelled; plain, .gz or .xz',
    )
    .option("--top <n>", "show this many windows with the largest disagreement", "10")
    .option("--json", "one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  logguardian model compare models/starter build/mine --data dev.jsonl.gz",
    )
    .action(async (a, b, options) =>
      (await import("./commands/model/compare.ts")).compareCommand(a, b, options),
    );
  model
    .command("shadow")
    .description("what a pipeline's next bundle would change, as its detectors have told")
    .option("--pipeline <name>", "as in the configuration (default: all)")
    .option("--config <file>", "configuration (default: $LOGGUARDIAN_CONFIG or logguardian.yaml)")
    .option("--top <n>", "show this many of the windows that are furthest apart", "10")
    .option("--json", "one JSON object a pipeline")
    .addHelpText(
      "after",
      `
Examples:
  logguardian model shadow --pipeline hdfs
  logguardian model shadow --json | jq .agreement
A pipeline's \`next\` names the bundle. Of each pipeline the two bundles that were compared last are shown; in a pipe it
prints one JSON object each. Nothing is committed, and nothing of it alerts.`,
    )
    .action(async (options) => (await import("./commands/model/shadow.ts")).shadowCommand(options));
  model
    .command("quantize")
    .description("rewrite a language model's GGUF file in another type, by llama.cpp itself")
    .argument("<source>", "GGUF file in f32, f16 or bf16")
    .argument("<target>", "GGUF file to write")
    .addOption(new Option("--type <type>", "of the matrices").choices(quantizations).makeOptionMandatory())
    .option("--allow-requantize", "begin with a quantised file too; its errors stay and new ones join them")
    .option("--threads <n>", "0: all", "0")
    .addHelpText("after", "\nExample:\n  logguardian model quantize llama-f16.gguf llama.gguf --type q8_0")
    .action(async (source, target, options) =>
      (await import("./commands/model/quantize.ts")).quantizeCommand(source, target, options),
    );
  model
    .command("pull")
    .description("fetch a bundle, or the base that one builds on, and check it before it appears")
    .argument("<from>", "https URL, or a name on the Hub: owner/name/file@revision, owner/name@revision")
    .requiredOption("--sha256 <hex>", "of the archive, the file, or the bundle's manifest.json")
    .option("--out <dir>", "folder in which it appears", ".")
    .option("--as <name>", "its name there (default: the one in the address)")
    .addHelpText(
      "after",
      `
Examples:
  logguardian model pull https://example.org/bundles/starter-1.0.0.tar.gz --sha256 … --out models
  logguardian model pull owner/name/model-Q8_0.gguf@main --sha256 … --out models/small --as llama.gguf
  logguardian model pull owner/bundle@v1 --sha256 … --out models
A .tar.gz, .tgz or .tar is a packed bundle; a manifest.json is a bundle whose files lie beside it; anything else is one
file. What is interrupted goes on where it stopped. HF_ENDPOINT names another Hub, HF_TOKEN who you are there.`,
    )
    .action(async (from, options) => (await import("./commands/model/pull.ts")).pullCommand(from, options));
}
