import { type Command, Option } from "commander";
import { methodNames } from "../benchmark/method-names.ts";
import { dataFormats } from "../evaluate/data/data-format.ts";
import { splitKinds } from "../evaluate/splits.ts";
import { collect } from "./arguments.ts";
import { createDataSetOptions } from "./data-set-options.ts";

export function addBenchmarkCommand(program: Command): void {
  const dataSets = createDataSetOptions();
  program
    .command("benchmark")
    .description("compare methods on labelled data sets: quality and speed in one table")
    .addOption(
      new Option(
        "--train <file>",
        "begins a data set: what methods learn from, rows {label, lines, count?}",
      ).argParser(dataSets.train),
    )
    .addOption(
      new Option("--test <file>", "of the --train before it: what they are tested on").argParser(
        dataSets.test,
      ),
    )
    .addOption(
      new Option("--data <file>", "begins a data set: a log as LogHub gives it, split here").argParser(
        dataSets.data,
      ),
    )
    .addOption(
      new Option("--format <name>", `of the --data before it: ${dataFormats.join(", ")}`).argParser(
        dataSets.format,
      ),
    )
    .addOption(new Option("--labels <file>", "of the --data before it").argParser(dataSets.labels))
    .addOption(
      new Option("--window <size[/stride]>", "of the --data before it (default: 100)").argParser(
        dataSets.window,
      ),
    )
    .addOption(new Option("--split <kind>", "of --data").choices(splitKinds).default("chronological"))
    .option("--test-share <share>", "of --split, above 0 and below 1", "0.2")
    .option("--methods <names>", `some of ${methodNames.join(",")} (default: all)`)
    .option("--model <dir>", "bundle (default: the starter bundle); may be given several times", collect)
    .option("--plugin <name=command>", "a method of your own; may be given several times", collect)
    .option("--reference-windows <n>", "random windows on which logllm is timed", "300")
    .option("--threads <n>", "of every method", "1")
    .option("--seed <n>", "of the methods, the random split and the sample", "1")
    .option("--keep-going", "leave out a method that cannot run or fails, and end with exit code 1")
    .option("--json", "one JSON object")
    .option("--report <dir>", "write report.md, report.html and metrics.json here")
    .addHelpText(
      "after",
      `
Examples:
  logguardian benchmark --train hdfs-train.jsonl.gz --test hdfs-dev.jsonl.gz --report report
  logguardian benchmark --train a.jsonl --test b.jsonl --data BGL.log --format bgl --window 100 --json
  logguardian benchmark --train a.jsonl --test b.jsonl --methods bundle,unseen-template --plugin 'mine=python3 mine.py'
A chronological split leaves out what shares lines with the tested windows, as windows do whose stride is below their
size; a random one does not.
A plug-in is a command that gets three paths more: training windows, test windows (JSON lines), and the scores to write;
docs/benchmark.md describes them. Methods but bundle, unseen-template and unseen-counts are Python and need uv.`,
    )
    .action(async (options) =>
      (await import("./commands/benchmark.ts")).benchmarkCommand({ ...options, dataSets }),
    );
}
