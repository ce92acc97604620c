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
  /** Of a verdict: what was said of it, until it is sent. */
  const turns = new Map<string, Promise<void>>();
  return async (feedback) => {
    const { id } = feedback;
    const message = { partition: partitionOf(id, partitions), key: id, value: encodeFeedback(feedback) };
    // Whatever is said last must stand last: of the rest compaction leaves nothing.
    const turn = (turns.get(id) ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => sender.send(topic, [message]));
    turns.set(id, turn);
    try {
      await turn;
    } finally {
      if (turns.get(id) === turn) turns.delete(id);
    }
  };
}
