import { userInfo } from "node:os";
import { loadConfigOrDefaults } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { LogGuardianError } from "../../errors.ts";
import { createFeedbackSink } from "../../pipeline/feedback-sink.ts";
import { openServices } from "../../pipeline/services.ts";
import { createHealth } from "../../telemetry/health.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import {
  type Feedback,
  type FeedbackJudgement,
  feedbackAgain,
  feedbackOn,
  judgements,
  type Saying,
  timeAfter,
} from "../../verdict/feedback.ts";
import { verdictOnTopic } from "../anomalies-on-topic.ts";
import { parseTime } from "../arguments.ts";
import { feedbackOnTopic } from "../feedback-on-topic.ts";

interface Options {
  note?: string;
  until?: string;
  config?: string;
}

/** Kafka is waited for no longer. */
const patienceMs = 60_000;

export async function feedbackCommand(
  id: string | undefined,
  judgement: string | undefined,
  options: Options,
): Promise<void> {
  const saying = sayingOf(id, judgement, options);
  const config = loadConfigOrDefaults(options.config);
  const feedback = await feedbackOf(saying, config);
  await send(config, feedback);
  const { lines: _, ...told } = feedback;
  if (process.stdout.isTTY) console.log(forPeople(feedback));
  else console.log(JSON.stringify(told));
}

type Asked = { id: string } & Omit<Saying, "at">;

/** @throws LogGuardianError LG_USAGE. */
function sayingOf(id = "", judgement: string | undefined, { note, until }: Options): Asked {
  const usage = (what: string, remedy: string) => new LogGuardianError("LG_USAGE", what, remedy);
  if (!/^[0-9a-f]{32}$/.test(id))
    throw usage(
      id === "" ? "Nothing says which verdict is meant." : `${id} is no id of a verdict.`,
      "An id is 32 digits of 0-9a-f: event.id, the header lg-id, or the alert's verdict_id.",
    );
  if (!judgements.includes(judgement as FeedbackJudgement))
    throw usage(
      judgement === undefined
        ? "Nothing is said of the verdict."
        : `${judgement} is nothing that can be said.`,
      `Say ${judgements.join(", ")}.`,
    );
  const untilMs = until === undefined ? undefined : parseTime(until, "--until");
  if (untilMs !== undefined && judgement !== "false-alarm")
    throw usage("--until belongs to a false alarm.", "Leave it out.");
  if (untilMs !== undefined && untilMs <= Date.now())
    throw usage(`--until ${until} has passed.`, "Give a time to come, or leave it out.");
  return {
    ...{ id, judgement: judgement as FeedbackJudgement, by: userName() },
    ...(note === undefined ? {} : { note }),
    ...(untilMs === undefined ? {} : { until: untilMs }),
  };
}

/** @throws LogGuardianError LG_VERDICT_UNKNOWN, LG_KAFKA_*. */
async function feedbackOf({ id, ...saying }: Asked, config: Config): Promise<Feedback> {
  const before = await saidBefore(id, config);
  const said = { ...saying, at: timeAfter(before) };
  try {
    return feedbackOn(await verdictOnTopic(id, config), said);
  } catch (thrown) {
    // The verdict is forgotten by time, what was said of it is not.
    if (before === undefined || !isOurs(thrown, "LG_VERDICT_UNKNOWN")) throw thrown;
    return feedbackAgain(before, said);
  }
}

async function saidBefore(id: string, config: Config): Promise<Feedback | undefined> {
  try {
    return (await feedbackOnTopic(config, id)).said.get(id);
  } catch (thrown) {
    if (isOurs(thrown, "LG_TOPIC_MISSING")) return undefined;
    throw thrown;
  }
}

function isOurs(thrown: unknown, code: string): boolean {
  return thrown instanceof LogGuardianError && thrown.code === code;
}

async function send(config: Config, feedback: Feedback): Promise<void> {
  const services = await openServices({
    config,
    logger: silentLogger,
    health: createHealth(),
    metrics: createMetrics(),
    signal: AbortSignal.timeout(patienceMs),
  });
  try {
    await (await createFeedbackSink(services))(feedback);
  } finally {
    await services.close();
  }
}

function forPeople({ judgement, fingerprint, pipeline, until, id }: Feedback): string {
  if (judgement === "confirmed") return `${id} is confirmed.`;
  if (judgement === "undone") return `What was said of ${id} is taken back.`;
  const end = until === undefined ? "another bundle judges" : new Date(until).toISOString();
  return `${id} is a false alarm: ${fingerprint} in ${pipeline} alerts nobody until ${end}.`;
}

/** Who runs the command; in a container there may be no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
