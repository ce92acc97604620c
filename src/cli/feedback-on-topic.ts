import { decodeFeedback } from "../codec/feedback.ts";
import type { Config } from "../config/schema.ts";
import { topicNames } from "../pipeline/names.ts";
import { type Feedback, holdsAgainst } from "../verdict/feedback.ts";
import { recordsOnTopic } from "./topic-records.ts";

/**
 * What people said, by the verdict's id, as it holds now; of all verdicts, or of this one.
 * @throws LogGuardianError LG_TOPIC_MISSING where nobody has said anything yet, LG_KAFKA_*.
 */
export async function feedbackOnTopic(
  config: Config,
  id?: string,
): Promise<{ said: Map<string, Feedback>; unreadable: number }> {
  const said = new Map<string, Feedback>();
  let unreadable = 0;
  for await (const { key, value } of recordsOnTopic(config, topicNames(config, "").feedback)) {
    if (id !== undefined && String(key) !== id) continue;
    const feedback = feedbackIn(value);
    if (feedback === undefined) unreadable++;
    else if (holdsAgainst(feedback, said.get(feedback.id))) said.set(feedback.id, feedback);
  }
  return { said, unreadable };
}

function feedbackIn(value: Buffer | null): Feedback | undefined {
  try {
    return decodeFeedback(value ?? Buffer.alloc(0));
  } catch {
    return undefined;
  }
}
