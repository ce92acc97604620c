import { type Command, Option } from "commander";
import { severities } from "../alert/alert.ts";

/** `logguardian alert …` and `logguardian suppressions`. */
export function addAlertCommands(program: Command): void {
  program
    .command("alert")
    .description("try how alerts reach people")
    .command("test")
    .description("send a sample to every Alertmanager of the configuration, and say what each answered")
    .option("--pipeline <name>", "with the labels of this pipeline (default: the first)")
    .addOption(new Option("--severity <name>", "instead of what its score gives").choices(severities))
    .option("--config <file>", "configuration (default: $LOGGUARDIAN_CONFIG or logguardian.yaml)")
    .option("--json", "one JSON object: the alert, and the answers")
    .addHelpText(
      "after",
      `
Examples:
  logguardian alert test
  logguardian alert test --pipeline hdfs --severity critical
It is told as a real alert is, names itself a test, and ends by itself after the pipeline's alert.hold. Exit code 1 when an
Alertmanager did not take it.`,
    )
    .action(async (options) => (await import("./commands/alert/test.ts")).alertTestCommand(options));

  program
    .command("suppressions")
    .description("list the fingerprints that do not alert, since somebody called them a false alarm")
    .option("--pipeline <name>", "of this pipeline (default: of all)")
    .option("--all", "those that are over too: their time has passed, or another bundle judges")
    .option("--config <file>", "configuration (default: $LOGGUARDIAN_CONFIG or logguardian.yaml)")
    .option("--json", "one JSON object a line, on a terminal too")
    .addHelpText(
      "after",
      `
Examples:
  logguardian suppressions
  logguardian suppressions --pipeline hdfs --all --json
Each with who said so and when, until when it holds, and how many windows it kept quiet. On a terminal it prints a table, in a
pipe JSON.`,
    )
    .action(async (options) => (await import("./commands/suppressions.ts")).suppressionsCommand(options));
}
