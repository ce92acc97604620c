import { isAway, offerToAll } from "../alert/alertmanager.ts";
import { createReplayedAlerts, type ReplayedAlerts } from "../alert/replayed.ts";
import { durationOf, keySpecOf, sizeOf, windowSpecOf } from "../config/load.ts";
import { reasonOf } from "../errors.ts";
import { reasonCodeOf } from "../kafka/dead-letters.ts";
import { retry } from "../retry.ts";
import { type Anomaly, anomalyOf } from "../verdict/anomaly.ts";
import { alertmanagersOf, contentOptionsOf } from "./alerting.ts";
import { type EmbeddedSource, type EmbeddedSummary, runEmbedded } from "./embedded.ts";
import { replayName } from "./names.ts";
import type { OpenModel } from "./open-model.ts";
import { createPublisher } from "./publisher.ts";
import type { RoleContext, Services } from "./services.ts";
import { createStages, formatOf } from "./stages.ts";

export interface ReplaySummary extends EmbeddedSummary {
  published: number;
  alerts: number;
  /** Records that cannot be read still, by reason. They are not buried again. */
  refused: Record<string, number>;
}

/** Verdicts that are published together. */
const publishTogether = 64;

/**
 * Judges records again, as a pipeline of its own in memory. The only thing it writes are verdicts, under its own name
 * and label, and with `alert` their alerts. @throws whatever a source throws: then nothing that is open is judged.
 */
export async function replay(
  context: RoleContext,
  model: OpenModel,
  sources: readonly EmbeddedSource[],
  {
    label,
    alert,
    onProgress,
  }: { label: string; alert: boolean; onProgress: (summary: EmbeddedSummary) => void },
): Promise<ReplaySummary> {
  const { services, pipeline, options } = context;
  const { config, schemaRegistry } = services;
  const { batchSize } = config.inference;
  const stages = createStages(model, {
    pipeline: replayName(pipeline, label),
    format: formatOf(options, schemaRegistry),
    layout: options.layout,
    custom: options.mask?.custom ?? [],
    key: keySpecOf(options.key),
    window: windowSpecOf(options.window),
    limits: { ...options.limits, maxOpenBytes: sizeOf(options.limits.maxOpenBytes) },
    batchWindows: batchSize,
  });
  const publisher = await createPublisher(context);
  const alerts = createReplayedAlerts({
    ...contentOptionsOf(config, options),
    pipeline: replayName(pipeline, label),
    replay: label,
    holdMs: durationOf(options.alert.hold),
    maxActive: options.alert.maxActive,
  });
  const refused: Record<string, number> = {};
  const waiting: Anomaly[] = [];
  let published = 0;

  async function publish(): Promise<void> {
    published += await publisher.publish(waiting.splice(0));
  }

  const summary = await runEmbedded(
    stages,
    sources,
    {
      async onVerdict(verdict) {
        const anomaly = anomalyOf(verdict, label);
        waiting.push(anomaly);
        if (verdict.verdict === "anomalous") alerts.add(anomaly);
        if (waiting.length >= publishTogether) await publish();
      },
      onDeadLetter({ error }) {
        const reason = reasonCodeOf(error);
        refused[reason] = (refused[reason] ?? 0) + 1;
      },
      onProgress,
    },
    { maxPendingWindows: 4 * batchSize },
  );
  await publish();
  const told = alert ? await tellOnce(services, alerts) : 0;
  return { ...summary, published, alerts: told, refused };
}

/** Waits as long as no Alertmanager takes them. @returns how many there were. */
async function tellOnce({ config, logger, signal }: Services, alerts: ReplayedAlerts): Promise<number> {
  const alertmanagers = alertmanagersOf(config);
  if (alertmanagers.length === 0) return 0;
  const { told, failed } = await retry(
    async () => {
      // Anew for each try: the last may be hours after the first.
      const told = alerts.all();
      const answers = await offerToAll(alertmanagers, told);
      const failed = answers.filter(({ error }) => error !== undefined);
      if (failed.length === answers.length) throw failed[0]?.error;
      return { told, failed };
    },
    { signal, isTransient: isAway },
  );
  for (const { error } of failed)
    logger.warn("One Alertmanager of several did not take the alerts.", { error: reasonOf(error) });
  return told.length;
}
