import { partitionOf } from "../ingest/keys.ts";
import { type Anomaly, encodeAnomaly, headersOf } from "../verdict/anomaly.ts";
import { sharedTopicPartitions, topicNames } from "./names.ts";
import type { RoleContext } from "./services.ts";

/** Verdicts to the anomalies topic: those that the pipeline wants to have published. */
export interface Publisher {
  /** @returns how many were published. */
  publish(verdicts: readonly Anomaly[]): Promise<number>;
}

export async function createPublisher({ services, pipeline, options }: RoleContext): Promise<Publisher> {
  const { config, topics, sender } = services;
  const { anomalies } = topicNames(config, pipeline);
  await topics.ensure(anomalies, { partitions: sharedTopicPartitions, exactly: false });
  const partitions = await topics.partitions(anomalies);
  return {
    async publish(verdicts) {
      const wanted = verdicts.filter(
        ({ logguardian: { verdict, early } }) =>
          options.publish === "all" || verdict !== "normal" || early !== undefined,
      );
      await sender.send(
        anomalies,
        wanted.map((anomaly) => {
          const { key } = anomaly.logguardian;
          const headers = headersOf(anomaly);
          return { partition: partitionOf(key, partitions), key, value: encodeAnomaly(anomaly), headers };
        }),
      );
      return wanted.length;
    },
  };
}
