import { loadConfig, pipelineOf, rawTopicsOf, sizeOf } from "../../config/load.ts";
import type { PipelineConfig } from "../../config/pipeline-schema.ts";
import { LogGuardianError } from "../../errors.ts";
import { type OffsetRange, readRanges } from "../../kafka/read-ranges.ts";
import type { EmbeddedSource } from "../../pipeline/embedded.ts";
import { replayName, topicNames } from "../../pipeline/names.ts";
import { modelOptionsOf, withModel } from "../../pipeline/open-model.ts";
import { type ReplaySummary, replay } from "../../pipeline/replay.ts";
import { type LettersLeftOut, letterSources, readLetters } from "../../pipeline/replay-letters.ts";
import { offsetsIn, type ReplayPart, replayRanges } from "../../pipeline/replay-ranges.ts";
import { openServices } from "../../pipeline/services.ts";
import { createHealth } from "../../telemetry/health.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { parseNumber, parseOffsets, parseTime } from "../arguments.ts";
import { createProgress } from "../progress.ts";

interface Options {
  pipeline: string;
  label: string;
  from?: string;
  to?: string;
  offsets?: string;
  deadLetters?: boolean;
  reason?: string;
  config?: string;
  model?: string;
  threshold?: string;
  alert?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

export async function replayCommand(options: Options): Promise<void> {
  const part = partOf(options);
  const config = loadConfig(options.config);
  const { pipeline, label } = options;
  const chosen = withOptions(pipelineOf(config, pipeline), options);
  if (options.alert === true && config.alertmanager.urls.length === 0)
    throw usage("--alert has nobody to tell.", "Set alertmanager.urls in the configuration.");
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stop.abort(interrupted(signal)));
  const services = await openServices({
    config,
    logger: silentLogger,
    health: createHealth(),
    metrics: createMetrics(),
    signal: stop.signal,
  });
  try {
    const { topics, kafka } = services;
    const { deadLetters } = topicNames(config, pipeline);
    const raw = rawTopicsOf(chosen).map(({ name }) => name);
    const ranges = await replayRanges(topics, options.deadLetters ? [deadLetters] : raw, part);
    const offsets = offsetsIn(ranges);
    const isWhole = options.from === undefined && options.to === undefined;
    if (offsets === 0 && options.deadLetters === true && isWhole) {
      if (options.json === true) return show(options, { ranges: [], records: 0 });
      return console.log(`There are no dead letters: ${deadLetters} is empty.`);
    }
    if (offsets === 0)
      throw usage(
        "There is no record in this range.",
        "Widen it; times are those that Kafka gave the records.",
      );
    const plan: Plan = { ranges: ranges.filter(({ from, end }) => from < end), records: offsets };
    if (options.dryRun === true && options.deadLetters !== true) return show(options, plan);

    const group = `${config.topics.prefix}.${replayName(pipeline, label)}`;
    const { groups } = await kafka.admin.describeGroups([group]);
    if (groups.some(({ members }) => members.length > 0))
      throw new LogGuardianError(
        "LG_REPLAY_RUNS",
        `A replay of ${pipeline} labelled ${label} runs already, or was killed a moment ago.`,
        "Wait for it, or choose another label.",
      );
    const reader = readRanges({ client: kafka, topics, brokers: config.kafka.brokers }, ranges, {
      group,
      maxBytes: sizeOf(config.limits.inFlight),
      signal: stop.signal,
    });
    const progress = createProgress();
    try {
      let sources: EmbeddedSource[] = reader.ranges.map(({ range: { topic, partition }, batches }) => ({
        name: topic,
        partition,
        batches,
      }));
      if (options.deadLetters === true) {
        const { records, leftOut } = await readLetters(reader, { pipeline, reason: options.reason });
        Object.assign(plan, { records: records.length, leftOut });
        if (options.dryRun === true) return show(options, plan);
        sources = letterSources(records, stop.signal);
      }
      const summary = await withModel(modelOptionsOf(config, chosen), (model) =>
        replay({ services, pipeline, options: chosen }, model, sources, {
          label,
          alert: options.alert === true,
          onProgress: ({ records }) => progress.show("records read", records, plan.records),
        }),
      );
      progress.end();
      show(options, plan, summary);
    } finally {
      progress.end();
      await reader.close();
    }
  } finally {
    await services.close();
  }
}

/** @throws LogGuardianError LG_USAGE. */
function partOf({ label, from, to, offsets, deadLetters, reason }: Options): ReplayPart {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(label))
    throw usage(
      `--label ${label} cannot be a label.`,
      "Use at most 63 of a-z, 0-9 and -, such as after-fix.",
    );
  if (reason !== undefined && deadLetters !== true)
    throw usage("--reason belongs to dead letters.", "Give --dead-letters with it.");
  if (offsets !== undefined) {
    if (deadLetters === true || from !== undefined || to !== undefined)
      throw usage("--offsets goes alone.", "Choose offsets, or a time range, or --dead-letters.");
    return { offsets: parseOffsets(offsets) };
  }
  if (from === undefined && deadLetters !== true)
    throw usage("Nothing says what to replay.", "Give --from, --offsets or --dead-letters.");
  const part: ReplayPart = {};
  if (from !== undefined) part.from = parseTime(from, "--from");
  if (to !== undefined) part.to = parseTime(to, "--to");
  if (part.from !== undefined && part.to !== undefined && part.from >= part.to)
    throw usage("--from is not before --to.", "Exchange or correct them.");
  return part;
}

function withOptions(pipeline: PipelineConfig, { model, threshold }: Options): PipelineConfig {
  return {
    ...pipeline,
    ...(model === undefined ? {} : { bundle: model }),
    ...(threshold === undefined ? {} : { threshold: parseNumber(threshold, "--threshold", 0, 1) }),
  };
}

interface Plan {
  /** Those with offsets in them. */
  ranges: OffsetRange[];
  /** Of ranges: offsets, which may hold fewer records. */
  records: number;
  leftOut?: LettersLeftOut;
}

const noneLeftOut: LettersLeftOut = { cut: 0, former: 0, foreign: 0 };
const whyLeftOut: Record<keyof LettersLeftOut, string> = {
  cut: "hold only their record's first bytes and cannot be replayed",
  former: "are of a former topic of that name, at offsets that a later letter has too: replay them with --to",
  foreign: "name no place in a raw topic: another program wrote them",
};

function show({ pipeline, label, json, dryRun = false }: Options, plan: Plan, summary?: ReplaySummary): void {
  const name = replayName(pipeline, label);
  const { ranges, records, leftOut = noneLeftOut } = plan;
  if (json === true) {
    const read = ranges.map(({ end, ...range }) => ({ ...range, to: end - 1 }));
    console.log(
      JSON.stringify({ pipeline: name, dryRun, ranges: read, toRead: records, ...leftOut, ...summary }),
    );
    return;
  }
  if (summary === undefined) {
    for (const { topic, partition, from, end } of ranges)
      console.log(`${topic} partition ${partition}: offsets ${from} to ${end - 1}`);
    console.log(`${name} would read ${records} records (dry run).`);
  } else {
    const { lines, windows, anomalous, undecided, published, alerts, refused } = summary;
    console.log(
      `${name}: ${summary.records} records, ${lines} lines, ${windows} windows, ${anomalous} anomalous, ${undecided} undecided; ${published} verdicts published, ${alerts} alerts sent.`,
    );
    for (const [reason, times] of Object.entries(refused))
      console.log(`${times} records cannot be read: ${reason}. They stay where they are.`);
  }
  for (const [why, letters] of Object.entries(leftOut))
    if (letters > 0) console.log(`${letters} dead letters ${whyLeftOut[why as keyof LettersLeftOut]}.`);
}

function interrupted(signal: string): LogGuardianError {
  return new LogGuardianError(
    "LG_REPLAY_INTERRUPTED",
    `The replay was ended by ${signal}; what it judged before stands published.`,
    "Run it again with the same label: the same windows keep their ids.",
  );
}

function usage(what: string, remedy: string): LogGuardianError {
  return new LogGuardianError("LG_USAGE", what, remedy);
}
