import { setTimeout as sleep } from "node:timers/promises";
import { encodeLines } from "../codec/lines.ts";
import { pipelineOf, rawTopicsOf } from "../config/load.ts";
import { LogGuardianError } from "../errors.ts";
import { groupName, topicNames } from "./names.ts";
import type { Services } from "./services.ts";

const pollMs = 500;

/**
 * Closes every open window of a pipeline: a mark after everything that stands in its raw topics now.
 * Waits until the ingesters have read that. @param onWait is told how many records are still to be read.
 * @throws LogGuardianError LG_FLUSH_LAG where they do not get there in time.
 */
export async function flushPipeline(
  services: Services,
  pipeline: string,
  options: { timeoutMs: number; dryRun: boolean; onWait: (records: number) => void },
): Promise<{ partitions: number }> {
  const { config, topics, sender } = services;
  const raw = rawTopicsOf(pipelineOf(config, pipeline));
  const group = groupName(config, pipeline, "ingester");
  const { lines } = topicNames(config, pipeline);
  const partitions = await topics.partitions(lines);
  const goals = await Promise.all(
    raw.map(async ({ name: topic }) => ({ topic, bounds: await topics.bounds(topic) })),
  );
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    let left = 0;
    for (const { topic, bounds } of goals) {
      const committed = await topics.committed(group, topic);
      for (const [partition, { start, end }] of bounds)
        left += Math.max(0, end - Math.max(start, committed.get(partition)?.offset ?? start));
    }
    if (left === 0) break;
    options.onWait(left);
    if (Date.now() > deadline)
      throw new LogGuardianError(
        "LG_FLUSH_LAG",
        `The ingesters of ${pipeline} still have ${left} records to read.`,
        "Check that an ingester runs, or give it more time with --timeout.",
      );
    await sleep(pollMs);
  }
  if (!options.dryRun) {
    const value = encodeLines({ kind: "flush", label: `logguardian flush, ${new Date().toISOString()}` });
    await sender.send(
      lines,
      Array.from({ length: partitions }, (_, partition) => ({ partition, value })),
    );
  }
  return { partitions };
}
