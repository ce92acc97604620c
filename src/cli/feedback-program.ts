import type { Command, Option } from "commander";
import { judgements } from "../verdict/feedback.ts";

export function addFeedbackCommands(program: Command, configOption: () => Option): void {
  const feedback = program
    .command("feedback")
    .description("say that an anomaly is one, or a false alarm: then its fingerprint alerts nobody any more")
    .argument(
      "[id]",
      "of a verdict on the anomalies topic: event.id, the header lg-id, the alert's verdict_id",
    )
    .argument("[judgement]", `${judgements.join(", ")} (as if nothing had been said)`)
    .option("--note <text>", "why")
    .option(
      "--until <time>",
      "of a false alarm: when its fingerprint alerts again (default: with another bundle)",
    )
    .addOption(configOption())
    .addHelpText(
      "after",
      `
Examples:
  logguardian feedback 9f2c5c1b7c1f4d0a8e7b6a5d4c3b2a10 false-alarm --note 'planned failover' --until 2027-01-01T00:00Z
  logguardian feedback 9f2c5c1b7c1f4d0a8e7b6a5d4c3b2a10 undone
The newest of one verdict holds. It is kept on the feedback topic, with the window's lines.`,
    )
    .action(async (id, judgement, options) =>
      (await import("./commands/feedback.ts")).feedbackCommand(id, judgement, options),
    );

  feedback
    .command("export")
    .description(
      "write what was said as rows to train and evaluate on: {label, lines}, in the order it was said in",
    )
    .option("--pipeline <name>", "of this one alone")
    .option("--raw", "lines as they were written, for a bundle that masks them otherwise")
    .addOption(configOption())
    .addHelpText(
      "after",
      `
Examples:
  logguardian feedback export > feedback.jsonl
  logguardian feedback export --pipeline hdfs | gzip > hdfs.jsonl.gz
Label 1: confirmed, 0: a false alarm. What was taken back is left out.`,
    )
    .action(async (_, command) =>
      (await import("./commands/feedback-export.ts")).feedbackExportCommand(command.optsWithGlobals()),
    );
}
