import { Command, Option } from "commander";
import { dataFormats } from "../evaluate/data/data-format.ts";
import { splitKinds } from "../evaluate/splits.ts";
import { formatNames } from "../ingest/formats/index.ts";
import { layoutNames } from "../ingest/layouts.ts";
import { packageVersion } from "../package-root.ts";
import { addAlertCommands } from "./alert-program.ts";
import { collect } from "./arguments.ts";
import { addBenchmarkCommand } from "./benchmark-program.ts";
import { addFeedbackCommands } from "./feedback-program.ts";
import { addModelCommands } from "./model-program.ts";

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
      "\nExit codes: 0 done, 1 failed (the message says why), 2 wrong usage, 3 anomalies found, 4 F1 below the gate, 70 a bug.",
    );

  const configOption = () =>
    new Option("--config <file>", "configuration (default: $LOGGUARDIAN_CONFIG or logguardian.yaml)");

  program
    .command("detect")
    .description("judge the lines of files, or of standard input (-)")
    .argument("[files...]", "log files, plain, .gz or .xz", ["-"])
    .option("--session <pattern>", "sessions by an id in the text, a regular expression such as blk_-?\\d+")
    .option("--gap <duration>", "silence that ends a session, such as 30s, 10m, 24h (default: 30m)")
    .option("--end <pattern>", "a line with it is the last of its session")
    .option(
      "--window <size[/stride]>",
      "windows of lines such as 100/50, or of time such as 10m/5m (default: the bundle's)",
    )
    .addOption(
      new Option("--layout <name>", "what stands before a line's content (default: none)").choices(
        layoutNames,
      ),
    )
    .addOption(
      new Option(
        "--format <name>",
        "how lines are wrapped (default: text; auto where the pipeline's is another)",
      ).choices(formatNames),
    )
    .option(
      "--pipeline <name>",
      "windows, layout, masks, bundle and threshold of a pipeline of the configuration",
    )
    .addOption(configOption())
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
  logguardian detect hdfs.log --pipeline hdfs
  journalctl -f | logguardian detect -
On a terminal it prints for people, in a pipe one JSON object a line. Exit code 3 when something is anomalous.`,
    )
    .action(async (files, options) => (await import("./commands/detect.ts")).detectCommand(files, options));

  program
    .command("start")
    .description("run roles of all pipelines on Kafka, Redis and Alertmanager; without names all of them")
    .argument("[roles...]", "ingester, windower, detector, alerter, api")
    .addOption(configOption())
    .option("--host <address>", "of the API (default: the configuration's, 127.0.0.1)")
    .option("--port <n>", "of the API (default: the configuration's, 8000)")
    .addHelpText(
      "after",
      `
Examples:
  logguardian start
  logguardian start ingester windower --config /etc/logguardian.yaml
  logguardian start api --port 8000
Without a configuration, or with one that names no pipeline, api needs neither Kafka nor Redis: it judges what is sent to it.
SIGTERM ends what is under way, commits and leaves. /metrics, /health and /ready stand on http.port.`,
    )
    .action(async (roles, options) => (await import("./commands/start.ts")).startCommand(roles, options));

  program
    .command("flush")
    .description("close every open window of a pipeline, once all that stands in its raw topics is read")
    .requiredOption("--pipeline <name>", "as in the configuration")
    .addOption(configOption())
    .option("--timeout <duration>", "wait this long for the ingesters", "10m")
    .option("--dry-run", "wait, and say what would be closed")
    .addHelpText("after", "\nExample:\n  logguardian flush --pipeline hdfs")
    .action(async (options) => (await import("./commands/flush.ts")).flushCommand(options));

  program
    .command("replay")
    .description("judge records of a pipeline again, beside it: a time range, offsets, or dead letters")
    .requiredOption("--pipeline <name>", "as in the configuration")
    .requiredOption("--label <label>", "names the replay and stands in its verdicts")
    .option("--from <time>", "records stamped by Kafka at this time or later, such as 2026-11-24T02:00Z")
    .option("--to <time>", "and before this time (default: all that there are)")
    .option("--offsets <ranges>", "[topic:]partition:first-last, several with commas")
    .option("--dead-letters", "the pipeline's dead letters, read as it reads records now")
    .option("--reason <code>", "of the dead letters only these, such as LG_RECORD_JSON")
    .addOption(configOption())
    .option("--model <dir>", "bundle (default: the pipeline's)")
    .option("--threshold <score>", "anomalous from this score on (default: the pipeline's)")
    .option("--alert", "tell Alertmanager too, with the label replay")
    .option("--dry-run", "say what would be read, and judge nothing")
    .option("--json", "one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  logguardian replay --pipeline hdfs --label outage --from 2026-11-24T02:00Z --to 2026-11-24T03:00Z
  logguardian replay --pipeline hdfs --label recheck --offsets 0:100-200,1:50-80 --threshold 0.3
  logguardian replay --pipeline hdfs --label after-fix --dead-letters --reason LG_RECORD_JSON --dry-run
Nothing of the running pipeline is touched. Verdicts stand on the anomalies topic as pipeline hdfs.replay.outage.`,
    )
    .action(async (options) => (await import("./commands/replay.ts")).replayCommand(options));

  program
    .command("explain")
    .description("show which lines of a window gave it its score, and where it crossed the threshold")
    .argument(
      "[what]",
      "id of a verdict on the anomalies topic; or a file (- for standard input) of verdicts, or of the lines of one window",
    )
    .option("--patterns", "anomalies by fingerprint, of the topic or a file: what they have in common")
    .addOption(
      new Option("--layout <name>", "what stands before a line's content (default: the pipeline's)").choices(
        layoutNames,
      ),
    )
    .option("--pipeline <name>", "layout, masks, bundle and threshold of a pipeline (default: the verdict's)")
    .addOption(configOption())
    .option("--model <dir>", "bundle (default: the pipeline's)")
    .option("--threshold <score>", "anomalous from this score on (default: the pipeline's)")
    .option("--leave-out", "weigh a line by the window computed anew without it; slower")
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
Examples:
  logguardian explain 9f2c5c1b7c1f4d0a8e7b6a5d4c3b2a10
  logguardian detect app.log | logguardian explain -
  logguardian explain window.log --layout hdfs
  logguardian explain --patterns --json
A line's score is that of the window up to it. Its weight says how much lower the margin is when the question does not see
it and its equals. In JSON lines are counted from 0.`,
    )
    .action(async (what, options) => (await import("./commands/explain.ts")).explainCommand(what, options));

  addFeedbackCommands(program, configOption);

  program
    .command("decode")
    .description("show how records of a topic, or of a file, would be read, and why; nothing is committed")
    .option("--topic <name>", "its newest records")
    .option("--records <file>", "JSON lines {topic, partition, offset, key, value, valueEncoding, timestamp}")
    .addOption(new Option("--format <name>", "how lines are wrapped (default: auto)").choices(formatNames))
    .addOption(
      new Option("--layout <name>", "what stands before a line's content (default: none)").choices(
        layoutNames,
      ),
    )
    .option("--pipeline <name>", "format, fields, layout, masks, key and bundle of a pipeline")
    .addOption(configOption())
    .option("--limit <n>", "records at most (default: 10 of a topic, all of a file)")
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
Examples:
  logguardian decode --topic app-logs
  logguardian decode --topic otlp_logs --format otlp-proto --limit 100 --json
  logguardian decode --topic app-logs --pipeline app
  logguardian decode --records captured.jsonl --format syslog
Exit code 1 when a record would go to the dead letters; the reason stands beside it.`,
    )
    .action(async (options) => (await import("./commands/decode.ts")).decodeCommand(options));

  program
    .command("config")
    .description("check the configuration")
    .addOption(configOption())
    .option("--print", "show what is in effect, with defaults and environment, without secrets")
    .option("--reference", "every setting with its default, as Markdown")
    .addHelpText("after", "\nExample:\n  LOGGUARDIAN_KAFKA_BROKERS=a:9092,b:9092 logguardian config --print")
    .action(async (options) => (await import("./commands/config.ts")).configCommand(options));

  program
    .command("demo")
    .description("simulate a cluster with faults and watch them being found; no server needed")
    .option("--seconds <n>", "how long", "30")
    .option("--rate <n>", "lines per second", "300")
    .option("--fault-rate <share>", "share of blocks that are faulty", "0.03")
    .option("--seed <n>", "another seed, other logs", "1")
    .option("--model <dir>", "bundle (default: the starter bundle)")
    .addHelpText("after", "\nExample:\n  logguardian demo --seconds 10 --fault-rate 0.1")
    .action(async (options) => (await import("./commands/demo.ts")).demoCommand(options));

  program
    .command("simulate")
    .description("write raw HDFS log lines with labelled faults to standard output")
    .argument("<system>", "hdfs")
    .option("--rate <n>", "lines per second of log time", "300")
    .option("--fault-rate <share>", "share of blocks that are faulty, 0 to 1", "0.03")
    .option("--seed <n>", "another seed, other logs", "1")
    .option("--lines <n>", "lines at least; blocks that are open then are written to their end", "10000")
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
    .command("train")
    .description(
      "train a recipe on labelled logs and write its bundle; the same command goes on after a kill",
    )
    .requiredOption("--config <file>", "recipe, such as training/recipes/starter.yaml")
    .option("--data <path>", "labelled logs (default: $LOGGUARDIAN_DATA or ../shared/data)")
    .option("--out <dir>", "the bundle's folder (default: build/ and the recipe's file name)")
    .option("--jobs <n>", "models trained beside one another, each on a core")
    .option("--teacher <dir>", "bundle whose verdicts the model learns, instead of labels")
    .option("--teacher-windows <n>", "distinct windows that the teacher judges (default: 3000)")
    .option("--windows <n>", "of a pretrained recipe: distinct windows to learn from")
    .option("--labels <file>", "of a pretrained recipe: CSV id,label for rows of --data that have none")
    .option("--encoder <model>", "of a pretrained recipe: folder or Hub name")
    .option("--llama <model>", "of a pretrained recipe: folder, .gguf file or Hub name")
    .option(
      "--set <key=value>",
      "replaces a value of the recipe, such as training.prior_share=0; may be given several times",
      collect,
    )
    .option("--dry-run", "choose on the validation part and print its figures, but write no bundle")
    .addHelpText(
      "after",
      `
Examples:
  logguardian train --config training/recipes/starter.yaml
  logguardian train --config my.yaml --data /data/loghub --out models/mine && logguardian model verify models/mine
  logguardian train --config training/recipes/small.yaml --windows 1000 --jobs 2
  logguardian train --config training/recipes/starter.yaml --teacher models/large --out models/student
  logguardian train --config training/recipes/starter.yaml --set training.prior_share=0 --dry-run
Needs uv (https://docs.astral.sh/uv/), which installs PyTorch the first time. training/README.md describes recipes.`,
    )
    .action(async (options) => (await import("./commands/train.ts")).trainCommand(options));

  program
    .command("splits")
    .description("write the labelled logs' dev parts, as the trainer splits them, as JSON lines")
    .requiredOption("--out <dir>", "folder to write to")
    .option("--data <path>", "labelled logs (default: $LOGGUARDIAN_DATA or ../shared/data)")
    .option("--with-train", "and the parts before them, to learn from")
    .addHelpText(
      "after",
      `
Examples:
  logguardian splits --out splits
  logguardian evaluate --data splits/bgl-dev.jsonl.gz --format jsonl
  logguardian splits --out splits --with-train
  logguardian benchmark --train splits/bgl-train.jsonl.gz --test splits/bgl-dev.jsonl.gz
Needs uv (https://docs.astral.sh/uv/), which installs PyTorch the first time.`,
    )
    .action(async (options) => (await import("./commands/splits.ts")).splitsCommand(options));

  program
    .command("evaluate")
    .description("score labelled windows and compare with their labels")
    .requiredOption("--data <file>", "labelled data, plain, .gz or .xz; of hadoop the folder")
    .addOption(
      new Option("--format <name>", "jsonl: rows {label, lines, count?}; else a raw log as LogHub gives it")
        .choices(dataFormats)
        .makeOptionMandatory(),
    )
    .option(
      "--labels <file>",
      "hdfs: label file BlockId,Label; hadoop: label list (default: abnormal_label.txt)",
    )
    .option("--window <size[/stride]>", "lines of a window, of logs that are no sessions (default: 100)")
    .option("--train <file>", "what training has seen: tells what it has not apart")
    .option("--model <dir>", "bundle (default: the starter bundle); several are seeds of one recipe", collect)
    .option("--threshold <score>", "anomalous from this score on (default: the bundle's)")
    .addOption(
      new Option("--split <kind>", "test a share of the windows, choose a threshold on the rest").choices(
        splitKinds,
      ),
    )
    .option("--test-share <share>", "of --split, above 0 and below 1 (default: 0.2)")
    .option("--folds <n>", "of the threshold's cross-validation, 0 for none", "5")
    .option("--seed <n>", "of the random split, the folds and the bootstrap", "1")
    .option("--json", "one JSON object")
    .option("--report <dir>", "write report.md, report.html and metrics.json here")
    .option("--min-f1 <f1>", "a gate: exit code 4 where F1 over all windows is lower")
    .addHelpText(
      "after",
      `
Examples:
  logguardian evaluate --data dev.jsonl.gz --format jsonl --json
  logguardian evaluate --data HDFS.log --labels anomaly_label.csv --format hdfs --report report
  logguardian evaluate --data BGL.log --format bgl --window 100 --split chronological --min-f1 0.7
A chronological split leaves out what shares lines with the tested windows, as windows do whose stride is below their
size; a random one and the folds do not, since of such windows hardly one would remain.
An exit code of 1 after the figures says that the data hold only one label.`,
    )
    .action(async (options) => (await import("./commands/evaluate.ts")).evaluateCommand(options));

  addAlertCommands(program);
  addBenchmarkCommand(program);
  addModelCommands(program);

  program
    .command("doctor")
    .description("what is installed here and what works, and which services of the configuration answer")
    .addOption(configOption())
    .addHelpText("after", "\nExample:\n  logguardian doctor --config /etc/logguardian.yaml")
    .action(async (options) => (await import("./commands/doctor.ts")).doctorCommand(options));

  return program;
}
