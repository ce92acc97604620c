import { createHash } from "node:crypto";
import type { Detection, LogLine, WindowOptions } from "../api/detection.ts";
import { detectPipeline } from "../config/pipeline-schema.ts";
import type { Config } from "../config/schema.ts";
import { hasEnded } from "../model/ended.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { showCaches } from "./cache-metrics.ts";
import { detectLines } from "./detect-logs.ts";
import { modelOptionsOf, type OpenModel, openModel } from "./open-model.ts";

/** Whoever asks meanwhile is told why it could not be opened; by then a GPU or memory may be there. */
const againAfterMs = 30_000;

/** The model of `api.bundle`, opened by whoever first needs it. */
export function createDetection(
  config: Config,
  { metrics, ...deps }: { metrics: Metrics; logger?: Logger },
): Detection {
  const { bundle, threshold } = config.api;
  const options = modelOptionsOf(config, {
    ...(bundle === undefined ? {} : { bundle }),
    ...(threshold === undefined ? {} : { threshold }),
  });
  let opening: Promise<OpenModel> | undefined;
  let opened: OpenModel | undefined;
  let failedAt: number | undefined;

  function open(): Promise<OpenModel> {
    if (failedAt !== undefined && Date.now() - failedAt >= againAfterMs) opening = undefined;
    opening ??= tryToOpen();
    return opening;
  }

  async function tryToOpen(): Promise<OpenModel> {
    failedAt = undefined;
    try {
      opened = await openModel(options, deps);
    } catch (thrown) {
      failedAt = Date.now();
      throw thrown;
    }
    return opened;
  }

  /** Whoever asks next opens it anew. */
  function forget(model: OpenModel): void {
    if (opened !== model) return;
    opening = undefined;
    opened = undefined;
    void model.close().catch(() => undefined);
  }

  showCaches(metrics, detectPipeline, () => opened?.judge);
  return {
    async open() {
      return modelOf(await open());
    },
    model: () => (opened === undefined ? undefined : modelOf(opened)),
    async detect(lines, options, { onVerdict, onInference, ...run }) {
      const model = await open();
      await detectLines(options.rawOutput ? withAnswers(model) : model, lines, options, {
        ...run,
        name: nameOf(lines, options),
        async onVerdict(verdict) {
          metrics.verdicts.inc({ pipeline: detectPipeline, verdict: verdict.verdict });
          if (verdict.verdict === "anomalous") metrics.anomalies.inc({ pipeline: detectPipeline });
          await onVerdict(verdict);
        },
        onInference(seconds) {
          metrics.inference.observe({ pipeline: detectPipeline }, seconds);
          onInference?.(seconds);
        },
      }).catch((thrown) => {
        if (hasEnded(thrown)) forget(model);
        throw thrown;
      });
    },
    async close() {
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}

function modelOf({ bundle: { manifest } }: OpenModel) {
  const { name, version, window } = manifest;
  return { name, version, maxLines: window.maxLines };
}

function withAnswers(model: OpenModel): OpenModel {
  const { judge } = model;
  return { ...model, judge: { ...judge, judge: (windows) => judge.judge(windows, { rawOutput: true }) } };
}

/** Of what was sent: equal logs in equal windows give equal ids, whoever sends them again. */
function nameOf(
  lines: readonly LogLine[],
  { windowSize, stride }: Pick<WindowOptions, "windowSize" | "stride">,
): string {
  const hash = createHash("sha256").update(JSON.stringify([windowSize, stride]));
  for (const { message, time, source } of lines) hash.update(JSON.stringify([message, time, source]));
  return `detect-${hash.digest("hex").slice(0, 16)}`;
}
