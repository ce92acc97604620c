import type { Config } from "../config/schema.ts";

export const roleNames = ["ingester", "windower", "detector", "alerter"] as const;
export type RoleName = (typeof roleNames)[number];

/** Topics of a pipeline, and those that pipelines share. */
export function topicNames({ topics: { prefix } }: Config, pipeline: string) {
  return {
    lines: `${prefix}.lines.${pipeline}`,
    windows: `${prefix}.windows.${pipeline}`,
    anomalies: `${prefix}.anomalies`,
    deadLetters: `${prefix}.dead-letters`,
  };
}

export function groupName({ topics: { prefix } }: Config, pipeline: string, role: RoleName): string {
  return `${prefix}.${pipeline}.${role}`;
}

/** Partitions of the topics that pipelines share, where we make them. */
export const sharedTopicPartitions = 3;
