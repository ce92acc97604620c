import { loadConfig, pipelineOf } from "../../config/load.ts";
import { flushPipeline } from "../../pipeline/flush.ts";
import { openServices } from "../../pipeline/services.ts";
import { createHealth } from "../../telemetry/health.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { parseDuration } from "../arguments.ts";

interface Options {
  config?: string;
  pipeline: string;
  timeout: string;
  dryRun?: boolean;
}

export async function flushCommand(options: Options): Promise<void> {
  const config = loadConfig(options.config);
  const { pipeline } = options;
  pipelineOf(config, pipeline);
  // No timer takes more than 24 days.
  const timeoutMs = Math.min(parseDuration(options.timeout, "--timeout"), 2 ** 31 - 1);
  const services = await openServices({
    config,
    logger: silentLogger,
    health: createHealth(),
    metrics: createMetrics(),
    signal: AbortSignal.timeout(timeoutMs),
  });
  try {
    const { partitions } = await flushPipeline(services, pipeline, {
      timeoutMs,
      dryRun: options.dryRun === true,
      onWait(records) {
        if (process.stderr.isTTY) process.stderr.write(`\r${records} records are still to be read …   `);
      },
    });
    const what = options.dryRun === true ? "would be closed (dry run)" : "are being closed";
    console.log(`Open windows of ${pipeline} ${what}, in ${partitions} lines-partitions.`);
  } finally {
    await services.close();
  }
}
