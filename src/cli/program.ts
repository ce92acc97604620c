import { Command, Option } from "commander";
import { packageVersion } from "../package-root.ts";

/** The command line. Each command's code is loaded only when it runs. */
export function createProgram(): Command {
  const program = new Command("logguardian")
    .description(
      "Finds anomalies in logs with a language model's calibrated verdict on every window of lines.",
    )
    .version(packageVersion())
    .option("--debug", "show stacks of errors")
    .exitOverride()
    .showHelpAfterError("Run with --help to see what is possible.")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed (the message says why), 2 wrong usage, 3 anomalies found, 70 a bug.",
    );

  program
    .command("detect")
    .description("judge the lines of files, or of standard input (-)")
    .argument("[files...]", "log files, plain, .gz or .xz", ["-"])
    .option("--session <pattern>", "sessions by an id in the text, a regular expression such as blk_-?\\d+")
    .option("--gap <duration>", "silence that ends a session, such as 30s, 10m, 24h", "30m")
    .option("--window <size[/stride]>", "sliding windows of lines (default: the bundle's)")
    .addOption(
      new Option("--layout <name>", "what stands before a line's content")
        .choices(["none", "hdfs", "bgl", "thunderbird"])
        .default("none"),
    )
    .addOption(
      new Option("--format <name>", "how lines are wrapped")
        .choices(["text", "filebeat", "fluent-bit"])
        .default("text"),
    )
    .option("--follow", "keep reading what is appended, through rotation")
    .option("--all", "print normal windows too")
    .option("--model <dir>", "bundle (default: the starter bundle)")
    .option("--threshold <score>", "anomalous from this score on (default: the bundle's)")
    .addHelpText(
      "after",
      `
Examples:
  logguardian detect app.log --window 100/50
  logguardian detect hdfs.log --layout hdfs --session 'blk_-?\\d+' --gap 24h
  journalctl -f | logguardian detect -
On a terminal it prints for people, in a pipe one JSON object a line. Exit code 3 when something is anomalous.`,
    )
    .action(async (files, options) => (await import("./commands/detect.ts")).detectCommand(files, options));

  program
    .command("demo")
    .description("simulate a cluster with faults and watch them being found; no server needed")
    .option("--seconds <n>", "how long", "30")
    .option("--rate <n>", "lines per second", "300")
    .option("--fault-rate <share>", "share of blocks that are faulty", "0.03")
    .option("--seed <n>", "another seed, other logs", "1")
    .option("--model <dir>", "bundle (default: the starter bundle)")
    .action(async (options) => (await import("./commands/demo.ts")).demoCommand(options));

  program
    .command("simulate")
    .description("write raw HDFS log lines with labelled faults to standard output")
    .argument("<system>", "hdfs")
    .option("--rate <n>", "lines per second of log time", "300")
    .option("--fault-rate <share>", "share of blocks that are faulty, 0 to 1", "0.03")
    .option("--seed <n>", "another seed, other logs", "1")
    .option("--lines <n>", "lines in all", "10000")
    .option("--labels <file>", "write BlockId,Label here, as LogHub does")
    .addHelpText(
      "after",
      "\nExample:\n  logguardian simulate hdfs --lines 5000 | logguardian detect - --layout hdfs --session 'blk_-?\\d+' --gap 10s",
    )
    .action(async (system, options) =>
      (await import("./commands/simulate.ts")).simulateCommand(system, options),
    );

  program
    .command("mask")
    .description("mask standard input line by line")
    .addOption(new Option("--profile <name>").choices(["logllm", "typed"]).default("logllm"))
    .option("--lower-case", "fold case")
    .option("--remove-punctuation", "replace punctuation by spaces")
    .option("--collapse-whitespace", "one space between words")
    .addHelpText(
      "after",
      "\nExample:\n  logguardian mask --profile typed < app.log | sort | uniq -c | sort -rn",
    )
    .action(async (options) => (await import("./commands/mask.ts")).maskCommand(options));

  program
    .command("evaluate")
    .description("score labelled windows and compare with their labels")
    .requiredOption("--data <file>", "labelled data, plain, .gz or .xz")
    .addOption(
      new Option("--format <name>", "jsonl: rows {label, lines}; hdfs: raw log")
        .choices(["jsonl", "hdfs"])
        .makeOptionMandatory(),
    )
    .option("--labels <file>", "hdfs: label file, BlockId,Label")
    .option("--model <dir>", "bundle (default: the starter bundle)")
    .option("--json", "one JSON object")
    .addHelpText("after", "\nExample:\n  logguardian evaluate --data dev.jsonl.gz --format jsonl --json")
    .action(async (options) => (await import("./commands/evaluate.ts")).evaluateCommand(options));

  const model = program.command("model").description("look at bundles");
  model
    .command("inspect")
    .description("what a bundle's manifest says")
    .argument("[dir]", "bundle (default: the starter bundle)")
    .action(async (dir) => (await import("./commands/model.ts")).inspectCommand(dir));
  model
    .command("verify")
    .description("check a bundle's files and compare its margins with the trainer's")
    .argument("[dir]", "bundle (default: the starter bundle)")
    .action(async (dir) => (await import("./commands/model.ts")).verifyCommand(dir));

  program
    .command("doctor")
    .description("what is installed here and what works")
    .action(async () => (await import("./commands/doctor.ts")).doctorCommand());

  return program;
}
