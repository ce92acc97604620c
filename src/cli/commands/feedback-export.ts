import { once } from "node:events";
import { decodeFeedback } from "../../codec/feedback.ts";
import { loadConfigOrDefaults, pipelineOf } from "../../config/load.ts";
import { LogGuardianError, told } from "../../errors.ts";
import { topicNames } from "../../pipeline/names.ts";
import type { Feedback } from "../../verdict/feedback.ts";
import { recordsOnTopic } from "../topic-records.ts";

interface Options {
  pipeline?: string;
  raw?: boolean;
  config?: string;
}

export async function feedbackExportCommand(options: Options): Promise<void> {
  const config = loadConfigOrDefaults(options.config);
  const { pipeline } = options;
  if (pipeline !== undefined) pipelineOf(config, pipeline);
  /** The newest of each verdict. */
  const newest = new Map<string, Feedback>();
  let unreadable = 0;
  try {
    for await (const { value } of recordsOnTopic(config, topicNames(config, "").feedback)) {
      const feedback = feedbackIn(value);
      if (feedback === undefined) unreadable++;
      else if ((newest.get(feedback.id)?.at ?? 0) <= feedback.at) newest.set(feedback.id, feedback);
    }
  } catch (thrown) {
    if (!(thrown instanceof LogGuardianError) || thrown.code !== "LG_TOPIC_MISSING") throw thrown;
    console.error(`Nobody has said anything yet: ${told(thrown)}`);
  }
  if (unreadable > 0)
    console.error(`${unreadable} messages of the feedback topic are none of LogGuardian's.`);
  const said = [...newest.values()]
    .filter((one) => one.judgement !== "undone" && (pipeline === undefined || one.pipeline === pipeline))
    .sort((a, b) => a.at - b.at);
  for (const { judgement, lines } of said) {
    const row = {
      label: judgement === "confirmed" ? 1 : 0,
      lines: lines.map(({ text, masked }) => (options.raw === true ? text : masked)),
    };
    if (!process.stdout.write(`${JSON.stringify(row)}\n`)) await once(process.stdout, "drain");
  }
}

function feedbackIn(value: Buffer | null): Feedback | undefined {
  try {
    return decodeFeedback(value ?? Buffer.alloc(0));
  } catch {
    return undefined;
  }
}
