import type { Config } from "../config/schema.ts";

/** One of each for every pipeline. */
export const pipelineRoleNames = ["ingester", "windower", "detector", "alerter"] as const;
export type PipelineRoleName = (typeof pipelineRoleNames)[number];
/** The API is one for all pipelines. */
export const roleNames = [...pipelineRoleNames, "api"] as const;
export type RoleName = (typeof roleNames)[number];

/** Topics of a pipeline, and those that pipelines share. */
export function topicNames({ topics: { prefix } }: Config, pipeline: string) {
  return {
    lines: `${prefix}.lines.${pipeline}`,
    windows: `${prefix}.windows.${pipeline}`,
    anomalies: `${prefix}.anomalies`,
    feedback: `${prefix}.feedback`,
    shadow: `${prefix}.shadow`,
    deadLetters: `${prefix}.dead-letters`,
  };
}

export function groupName({ topics: { prefix } }: Config, pipeline: string, role: RoleName): string {
  return `${prefix}.${pipeline}.${role}`;
}

/** Of a role that reads for all pipelines. No pipeline's group has a name so short. */
export function sharedGroupName({ topics: { prefix } }: Config, role: RoleName): string {
  return `${prefix}.${role}`;
}

/** A replay is a pipeline of its own; what stands behind the dot is no pipeline's name. */
export function replayName(pipeline: string, label: string): string {
  return `${pipeline}.replay.${label}`;
}

/** Of a pipeline's state in Redis, which installations may share. No pipeline's name holds a dot. */
export function stateName({ topics: { prefix } }: Config, pipeline: string): string {
  return `${prefix}.${pipeline}`;
}

/** Partitions of the topics that pipelines share, where we make them. */
export const sharedTopicPartitions = 3;

/** What people said holds until they say otherwise, and is training data: it is not forgotten by time. */
export const feedbackTopic = { partitions: sharedTopicPartitions, exactly: false, isCompacted: true };
