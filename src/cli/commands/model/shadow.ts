import { styleText } from "node:util";
import { loadConfig, pipelineOf } from "../../../config/load.ts";
import { LogGuardianError } from "../../../errors.ts";
import { topicNames } from "../../../pipeline/names.ts";
import { outcomeOf } from "../../../pipeline/shadow/tally.ts";
import { parseShadow, type ShadowModel } from "../../../verdict/shadow.ts";
import { visible, visibleStart } from "../../../verdict/visible.ts";
import { parseWhole } from "../../arguments.ts";
import { confusionTable } from "../../confusion-table.ts";
import { createShadowReports, type ShadowReport } from "../../shadow-report.ts";
import { recordsOnTopic } from "../../topic-records.ts";

interface Options {
  pipeline?: string;
  config?: string;
  top: string;
  json?: boolean;
}

const shownLines = 3;

/** What the next bundle would change, as the shadow topic tells. */
export async function shadowCommand(options: Options): Promise<void> {
  const top = parseWhole(options.top, "--top", 0);
  const config = loadConfig(options.config);
  if (options.pipeline !== undefined) pipelineOf(config, options.pipeline);
  const collected = createShadowReports(options.pipeline, top);
  try {
    for await (const { value } of recordsOnTopic(config, topicNames(config, "").shadow)) {
      const message = parseShadow(value);
      if (message !== undefined) collected.add(message);
    }
  } catch (thrown) {
    // The first detector that has something to tell makes the topic.
    if (!(thrown instanceof LogGuardianError && thrown.code === "LG_TOPIC_MISSING")) throw thrown;
  }
  const reports = collected.reports();
  if (reports.length === 0)
    throw new LogGuardianError(
      "LG_SHADOW_NONE",
      "No next bundle has judged anything yet.",
      "Name one as `next` of the pipeline and restart its detectors; they tell what they counted every minute.",
    );
  const isForPeople = process.stdout.isTTY === true && options.json !== true;
  console.log(
    isForPeople
      ? reports.map(forPeople).join("\n\n")
      : reports.map((report) => JSON.stringify(report)).join("\n"),
  );
}

function forPeople(report: ShadowReport): string {
  const { windows, agreement, leftOut, scoreDifference, confusion, differences } = report;
  const percent = agreement === null ? "none" : `${(100 * agreement).toFixed(2)} %`;
  const { mean, max } = scoreDifference;
  const rows = [
    styleText("bold", report.pipeline),
    `live  ${modelText(report.live)}`,
    `next  ${modelText(report.next)}`,
    `${report.from} to ${report.to}: ${windows} windows, ${percent} with one verdict; ${leftOut} left out`,
    `scores apart by ${mean?.toFixed(3) ?? "–"} on the mean, ${max?.toFixed(3) ?? "–"} at most`,
    "",
    ...confusionTable(confusion, "live \\ next"),
  ];
  for (const { id, key, start, live, next, lines } of differences) {
    const what = {
      raised: "would alert",
      cleared: "would not alert any more",
      undecided: "undecided",
      same: "",
    };
    rows.push(
      "",
      `${styleText("bold", what[outcomeOf({ live, next })])}  ${visible(key)}  since ${start}  ${id}`,
      `  live ${saidText(live)}  next ${saidText(next)}`,
    );
    const heaviest = lines
      .filter(({ weight = 0 }) => weight > 0)
      .sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0))
      .slice(0, shownLines);
    for (const { text, weight = 0 } of heaviest)
      rows.push(`  +${weight.toFixed(1)}  ${visibleStart(text, 160)}`);
  }
  return rows.join("\n");
}

function modelText({ name, version, id, threshold }: ShadowModel): string {
  return `${name} ${version}  ${id.slice(0, 12)}  anomalous from ${threshold}`;
}

function saidText({
  verdict,
  score,
  reason,
}: {
  verdict: string;
  score: number | null;
  reason?: string;
}): string {
  return `${verdict} (${score?.toFixed(3) ?? reason ?? "no score"})`;
}
