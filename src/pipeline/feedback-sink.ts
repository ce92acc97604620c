import { encodeFeedback } from "../codec/feedback.ts";
import { partitionOf } from "../ingest/keys.ts";
import type { Feedback } from "../verdict/feedback.ts";
import { feedbackTopic, topicNames } from "./names.ts";
import type { Services } from "./services.ts";

/** What people say, to its topic. */
export type SayFeedback = (feedback: Feedback) => Promise<void>;

/** Makes the topic where it is missing. */
export async function createFeedbackSink({
  config,
  topics,
  sender,
}: Pick<Services, "config" | "topics" | "sender">): Promise<SayFeedback> {
  const { feedback: topic } = topicNames(config, "");
  await topics.ensure(topic, feedbackTopic);
  const partitions = await topics.partitions(topic);
  return async (feedback) => {
    const { id } = feedback;
    await sender.send(topic, [
      { partition: partitionOf(id, partitions), key: id, value: encodeFeedback(feedback) },
    ]);
  };
}
