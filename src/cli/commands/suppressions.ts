import { styleText } from "node:util";
import { isInForce, modelName, type Suppression } from "../../alert/suppression.ts";
import { loadConfig, pipelineOf } from "../../config/load.ts";
import { bundleOf } from "../../pipeline/configured-bundles.ts";
import { stateName } from "../../pipeline/names.ts";
import { connectRedis } from "../../redis/client.ts";
import { createRedisSuppressions } from "../../redis/suppressions.ts";
import { createHealth } from "../../telemetry/health.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import { visible } from "../../verdict/visible.ts";

interface Options {
  pipeline?: string;
  all?: boolean;
  config?: string;
  json?: boolean;
}

type Row = Suppression & { pipeline: string; inForce: boolean };

export async function suppressionsCommand(options: Options): Promise<void> {
  const config = loadConfig(options.config);
  if (options.pipeline !== undefined) pipelineOf(config, options.pipeline);
  const redis = await connectRedis(config.redis, { logger: silentLogger, health: createHealth() });
  const rows: Row[] = [];
  try {
    for (const pipeline of options.pipeline === undefined
      ? Object.keys(config.pipelines)
      : [options.pipeline]) {
      const bundle = await bundleOf(config, pipeline);
      const model = bundle && modelName(bundle);
      const known = await createRedisSuppressions(redis, stateName(config, pipeline)).list();
      for (const one of known)
        rows.push({ pipeline, ...one, inForce: isInForce(one, model ?? one.model, Date.now()) });
    }
  } finally {
    await redis.close();
  }
  const shown = rows.filter(({ inForce }) => inForce || options.all === true).toSorted((a, b) => b.at - a.at);
  if (options.json === true || !process.stdout.isTTY)
    for (const row of shown) console.log(JSON.stringify(forPrograms(row)));
  else if (shown.length === 0) console.log("Nothing is suppressed.");
  else for (const row of table(shown)) console.log(row);
}

function forPrograms({ id, at, until, appliedAt: _, lastSeen, times, ...row }: Row) {
  return {
    ...row,
    verdict: id,
    at: isoTime(at),
    ...(until === undefined ? {} : { until: isoTime(until) }),
    windows: times,
    ...(lastSeen === undefined ? {} : { lastSeen: isoTime(lastSeen) }),
  };
}

const heads = ["pipeline", "fingerprint", "since", "by", "until", "windows", "last seen", "note"];

function table(rows: readonly Row[]): string[] {
  const cells = rows.map((row) => [
    row.pipeline,
    row.fingerprint,
    shortTime(row.at),
    visible(row.by),
    endOf(row),
    String(row.times),
    row.lastSeen === undefined ? "-" : shortTime(row.lastSeen),
    visible(row.note ?? ""),
  ]);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [styleText("bold", line(heads)), ...cells.map(line)];
}

function endOf({ until, model, inForce }: Row): string {
  if (!inForce) return "over";
  return until === undefined ? `another bundle than ${model}` : shortTime(until);
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function shortTime(milliseconds: number): string {
  return `${isoTime(milliseconds).slice(0, 16).replace("T", " ")}Z`;
}
