import { setFlagsFromString } from "node:v8";
import { decodeWindow } from "../../codec/window.ts";
import type { RawRecord } from "../../ingest/line.ts";
import type { LineMasker } from "../../ingest/line-reader.ts";
import { hasEnded } from "../../model/ended.ts";
import { createRedisEarlyMarks } from "../../redis/early-marks.ts";
import { createRedisScoringMarks } from "../../redis/scoring-marks.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Verdict } from "../../verdict/verdict.ts";
import type { CloseReason, Window } from "../../window/window.ts";
import { showCaches } from "../cache-metrics.ts";
import { crashed, createDetector } from "../detector.ts";
import { createEarlyVerdicts } from "../early-verdicts.ts";
import { createFamiliarity } from "../familiarity.ts";
import { stateName, topicNames } from "../names.ts";
import { type ModelOptions, modelOptionsOf, type OpenModel, openModel } from "../open-model.ts";
import { createPublisher } from "../publisher.ts";
import { createScoringGuard } from "../scoring-guard.ts";
import { consumerFor, createBury, decodeOwn, type Role, type RoleContext } from "../services.ts";
import { openShadow } from "../shadow/open-shadow.ts";
import { lineMaskerOf } from "../stages.ts";

/** Windows that their last line closed; the others waited for time to pass. */
const closedByLine: ReadonlySet<CloseReason> = new Set(["full", "end", "limit"]);

/** The windows topic to the anomalies topic. @param open gives the judge; another one where no model is to be measured. */
export async function createDetectorRole(
  context: RoleContext,
  open: (
    options: ModelOptions,
    deps: { logger: Logger },
  ) => Promise<Pick<OpenModel, "bundle" | "judge" | "close">> = openModel,
): Promise<Role> {
  // V8 otherwise lets its heap grow to three times what it holds: with a backlog 160 of 950 MB were garbage. A detector's time
  // goes to native code; an ingester or windower would need a third more of it.
  setFlagsFromString("--heap-growing-percent=50");
  const { services, pipeline, options } = context;
  const { config, topics, metrics } = services;
  const logger = services.logger.child({ unit: `detector ${pipeline}` });
  const { windows } = topicNames(config, pipeline);
  await topics.ensure(windows, { partitions: options.partitions, exactly: false });
  const publisher = await createPublisher(context);
  const bury = await createBury(context, "detector");
  const model = await open(modelOptionsOf(config, options), { logger });
  const { manifest } = model.bundle;
  const judgedBy = `${manifest.name} ${manifest.version}`;
  const masker = lineMaskerOf(manifest, { layout: options.layout, custom: options.mask?.custom ?? [] });
  const { batchSize } = config.inference;
  const redis = await services.redis();
  const name = stateName(config, pipeline);
  const early = createEarlyVerdicts(createRedisEarlyMarks(redis, name));
  const guard = createScoringGuard({ marks: createRedisScoringMarks(redis, name), logger });
  const detector = createDetector(
    { judge: model.judge, model: { name: manifest.name, version: manifest.version }, guard },
    { batchWindows: batchSize },
  );
  const shadow = options.next && openShadow(context, model.bundle, options.next);
  showCaches(metrics, pipeline, () => model.judge);
  const familiarity = createFamiliarity(manifest, { fewestLines: 50 });
  let isDoubted = false;

  async function judge(batch: readonly { window: Window; record: RawRecord }[]): Promise<readonly Verdict[]> {
    const started = performance.now();
    const verdicts = await detector.detect(batch.map(({ window }) => maskedFor(window, masker)));
    metrics.inference.observe({ pipeline }, (performance.now() - started) / 1000);
    const { anomalies, published } = await early.select(verdicts);
    await publisher.publish(anomalies);
    await published();
    // What counts is durable: only now.
    shadow?.offer(verdicts);
    for (const { logguardian } of anomalies)
      if (logguardian.early !== undefined) metrics.early.inc({ pipeline, stage: logguardian.early });
    familiarity.see(verdicts);
    const doubt = isDoubted ? undefined : familiarity.doubt();
    if (doubt !== undefined) {
      isDoubted = true;
      logger.warn("These logs are not of a kind that the bundle knows.", { error: doubt });
    }
    const now = Date.now();
    for (const [place, { verdict, score, novelty, window }] of verdicts.entries()) {
      if (window.reason === "open") continue;
      metrics.verdicts.inc({ pipeline, verdict });
      if (verdict === "anomalous") metrics.anomalies.inc({ pipeline });
      if (score !== null) metrics.score.observe({ pipeline, model: judgedBy }, score);
      if (novelty !== undefined) metrics.novelty.observe({ pipeline, model: judgedBy }, novelty);
      metrics.detection.observe({ pipeline }, (now - (batch[place]?.record.timestamp ?? now)) / 1000);
      if (closedByLine.has(window.reason))
        metrics.recordToVerdict.observe({ pipeline }, Math.max(0, now - window.end) / 1000);
    }
    return verdicts;
  }

  const consumer = consumerFor(
    context,
    "detector",
    [windows],
    async ({ committed, log }) => {
      let position = committed === undefined || committed.offset > log.end ? log.start : committed.offset;
      await guard.learn();
      /** Windows that stay marked until what lies below is committed. */
      let marked: { window: Window; below: number }[] = [];
      let committedTo = position;
      async function unmark(): Promise<void> {
        const due = marked.filter(({ below }) => below <= committedTo);
        if (due.length === 0) return;
        await guard.end(due.map(({ window }) => window));
        marked = marked.filter((one) => !due.includes(one));
      }
      return {
        position,
        // What is judged becomes durable before more is: a crash repeats no more, and a slow model shows progress.
        maxRecords: batchSize,
        async process(records) {
          await unmark();
          const read = await decodeOwn(records, decodeWindow, bury);
          const verdicts = await judge(
            read.flatMap(({ record, message: window }) => (window === undefined ? [] : [{ record, window }])),
          );
          position = (records.at(-1)?.offset ?? position - 1) + 1;
          // An open one comes again: whether it is scored then, its mark tells.
          for (const { window, reason } of verdicts)
            if (reason === crashed && window.reason !== "open") marked.push({ window, below: position });
        },
        tick: unmark,
        commitPoint: () => ({ offset: position, metadata: "" }),
        committed({ offset }) {
          committedTo = offset;
          // Where that fails the next tick does it, if there is one.
          void unmark().catch(() => undefined);
        },
      };
    },
    { isHopeless: hasEnded },
  );
  return {
    ...consumer,
    async stop() {
      await consumer.stop().finally(() => Promise.all([model.close(), shadow?.close()]));
    },
  };
}

/** A window that was masked for another bundle is masked again from its raw lines. */
function maskedFor(window: Window, masker: LineMasker): Window {
  if (window.maskHash === masker.hash) return window;
  const lines = window.lines.map((line) => ({ ...line, masked: masker.mask(line.text).masked }));
  return { ...window, lines, maskHash: masker.hash };
}
