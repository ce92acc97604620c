import { once } from "node:events";
import { loadConfigOrDefaults, pipelineOf } from "../../config/load.ts";
import { LogGuardianError, told } from "../../errors.ts";
import { feedbackOnTopic } from "../feedback-on-topic.ts";

interface Options {
  pipeline?: string;
  raw?: boolean;
  config?: string;
}

export async function feedbackExportCommand(options: Options): Promise<void> {
  const config = loadConfigOrDefaults(options.config);
  const { pipeline } = options;
  if (pipeline !== undefined) pipelineOf(config, pipeline);
  const { said: all, unreadable } = await feedbackOnTopic(config).catch((thrown) => {
    if (!(thrown instanceof LogGuardianError) || thrown.code !== "LG_TOPIC_MISSING") throw thrown;
    console.error(`Nobody has said anything yet: ${told(thrown)}`);
    return { said: new Map<string, never>(), unreadable: 0 };
  });
  if (unreadable > 0)
    console.error(`${unreadable} messages of the feedback topic are none of LogGuardian's.`);
  const said = [...all.values()]
    .filter((one) => one.judgement !== "undone" && (pipeline === undefined || one.pipeline === pipeline))
    .sort((a, b) => a.at - b.at);
  const rows = said.filter(({ lines }) => lines.length > 0);
  if (rows.length < said.length)
    console.error(`${said.length - rows.length} were said of windows that had been forgotten: left out.`);
  for (const { judgement, lines } of rows) {
    const row = {
      label: judgement === "confirmed" ? 1 : 0,
      lines: lines.map(({ text, masked }) => (options.raw === true ? text : masked)),
    };
    if (!process.stdout.write(`${JSON.stringify(row)}\n`)) await once(process.stdout, "drain");
  }
}
