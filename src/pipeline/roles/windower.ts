import { decodeLines } from "../../codec/lines.ts";
import { encodeWindow } from "../../codec/window.ts";
import { sizeOf, windowSpecOf } from "../../config/load.ts";
import { partitionOf } from "../../ingest/keys.ts";
import { defaultBundleDir, loadManifest } from "../../model/bundle.ts";
import { createRedisWindowStore } from "../../redis/window-store.ts";
import { createPartitionWindower } from "../../window/partition-windower.ts";
import type { Window } from "../../window/window.ts";
import { stateName, topicNames } from "../names.ts";
import { consumerFor, createBury, decodeOwn, type Role, type RoleContext } from "../services.ts";
import { checkWindow } from "../stages.ts";
import { commitPointOf, metadataOf } from "./windower-commit.ts";

/** Bytes of messages that are taken in with one write to Redis, about: the more, the fewer lines are still open after it. */
const bytesPerStep = 4 * 2 ** 20;

/** The lines topic to the windows topic; open windows in Redis. */
export async function createWindowerRole(context: RoleContext): Promise<Role> {
  const { services, pipeline, options } = context;
  const { config, topics, metrics } = services;
  const spec = windowSpecOf(options.window);
  const manifest = await loadManifest(options.bundle ?? defaultBundleDir());
  checkWindow(spec, manifest.window.maxLines);
  const { lines, windows } = topicNames(config, pipeline);
  await topics.ensure(lines, { partitions: options.partitions, exactly: true });
  await topics.ensure(windows, { partitions: options.partitions, exactly: false });
  const windowPartitions = await topics.partitions(windows);
  const bury = await createBury(context, "windower");
  const redis = await services.redis();
  const policy = await redis.evictionPolicy();
  if (policy !== "noeviction")
    services.logger.warn(
      policy === undefined
        ? "Redis does not say what it throws away when its memory is full; see that its maxmemory-policy is noeviction."
        : "Redis throws away open windows when its memory is full; set maxmemory-policy to noeviction.",
      { policy },
    );
  const { maxOpenWindows, maxOpenBytes } = options.limits;
  const { everyLines } = options.early ?? {};
  const early = everyLines === undefined ? undefined : { everyLines, maxLines: manifest.window.maxLines };
  const limits = {
    maxOpenWindows: Math.max(1, Math.floor(maxOpenWindows / options.partitions)),
    maxOpenBytes: sizeOf(maxOpenBytes) / options.partitions,
  };

  return consumerFor(context, "windower", [lines], async ({ partition, committed }) => {
    const windower = createPartitionWindower(
      {
        store: createRedisWindowStore(redis, stateName(config, pipeline), partition),
        logger: services.logger.child({ partition }),
      },
      { pipeline, spec, limits, early },
    );

    async function publish(closed: readonly Window[]): Promise<void> {
      metrics.pendingWindows.set({ pipeline, partition }, closed.length);
      await services.sender.send(
        windows,
        closed.map((window) => ({
          partition: partitionOf(window.key, windowPartitions),
          key: window.key,
          value: encodeWindow(window),
        })),
        { packed: true },
      );
      // Early revisions were never pending; by now another owner may have closed their windows.
      await windower.published(closed.flatMap(({ id, reason }) => (reason === "open" ? [] : [id])));
      metrics.pendingWindows.set({ pipeline, partition }, 0);
      for (const { reason } of closed) metrics.windows.inc({ pipeline, reason });
    }

    const before = commitPointOf(committed);
    const { position, pending } = await windower.resume(before, async () => {
      const bounds = (await topics.bounds(lines)).get(partition);
      if (bounds === undefined)
        throw new Error(`Kafka does not say what partition ${partition} of ${lines} holds.`);
      return bounds;
    });
    if (before !== undefined && position < before.offset) metrics.rebuilds.inc({ pipeline });
    await publish(pending);
    // Taken when the windows below it have been published, not while they are on their way.
    let committable = windower.commitPoint();
    let repeatedLines = 0;

    return {
      position,
      maxBytes: bytesPerStep,
      async process(records) {
        const read = await decodeOwn(records, decodeLines, bury);
        await publish(
          await windower.advance(read.map(({ record: { offset }, message }) => ({ offset, message }))),
        );
        committable = windower.commitPoint();
        const stats = windower.stats();
        metrics.openWindows.set({ pipeline, partition }, stats.openWindows);
        metrics.repeatedLines.inc({ pipeline }, stats.repeatedLines - repeatedLines);
        repeatedLines = stats.repeatedLines;
      },
      commitPoint() {
        return { offset: committable.offset, metadata: metadataOf(committable) };
      },
    };
  });
}
