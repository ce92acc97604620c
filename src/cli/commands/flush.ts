import { loadConfig } from "../../config/load.ts";
import { LogGuardianError } from "../../errors.ts";
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
  if (config.pipelines[pipeline] === undefined)
    throw new LogGuardianError(
      "LG_USAGE",
      `There is no pipeline ${pipeline}.`,
      `The configuration has ${Object.keys(config.pipelines).join(", ")}.`,
    );
  const timeoutMs = parseDuration(options.timeout, "--timeout");
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
