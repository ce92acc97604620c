import { durationOf } from "../../config/load.ts";
import type { PipelineConfig } from "../../config/pipeline-schema.ts";
import { partitionOf } from "../../ingest/keys.ts";
import type { Bundle } from "../../model/bundle.ts";
import { encodeShadow, type ShadowMessage } from "../../verdict/shadow.ts";
import { sharedTopicPartitions, topicNames } from "../names.ts";
import { modelOptionsOf } from "../open-model.ts";
import type { RoleContext } from "../services.ts";
import { createNextModel } from "./next-model.ts";
import { createShadow, type Shadow } from "./shadow.ts";

/** A large bundle is summed and loaded, and a GPU may compile kernels, at the lowest priority. */
const openWithinMs = 1_800_000;

/** The shadow of a pipeline whose configuration names a next bundle. Opens nothing yet, and so cannot fail. */
export function openShadow(
  { services, pipeline, options }: RoleContext,
  live: Bundle,
  next: NonNullable<PipelineConfig["next"]>,
): Shadow {
  const { config, topics, sender, metrics, logger } = services;
  const { name, version, threshold } = live.manifest;
  const { shadow: topic } = topicNames(config, pipeline);

  let known: Promise<number> | undefined;
  function partitions(): Promise<number> {
    known ??= topics
      .ensure(topic, { partitions: sharedTopicPartitions, exactly: false })
      .then(() => topics.partitions(topic));
    // Asked again, where it failed.
    known.catch(() => {
      known = undefined;
    });
    return known;
  }

  async function send(messages: readonly ShadowMessage[]): Promise<void> {
    const count = await partitions();
    await sender.send(
      topic,
      messages.map((message) => {
        const key = message.kind === "difference" ? message.key : pipeline;
        return { partition: partitionOf(key, count), key, value: encodeShadow(message) };
      }),
    );
  }

  return createShadow(
    {
      next: createNextModel(
        {
          model: modelOptionsOf(config, next),
          layout: options.layout,
          custom: options.mask?.custom ?? [],
        },
        { openWithinMs, answerWithinMs: durationOf(config.limits.stuckAfter) * config.inference.batchSize },
      ),
      send,
      metrics,
      logger: logger.child({ unit: `shadow ${pipeline}` }),
    },
    {
      pipeline,
      live: { name, version, id: live.id, threshold: options.threshold ?? threshold },
      share: next.share,
      batchWindows: config.inference.batchSize,
    },
  );
}
