import type { Admin } from "kafkajs";
import { retry } from "../../src/retry.ts";

/** The broker may make it before it knows of it everywhere; made once, it is not made again. */
export async function createTopic(admin: Admin, topic: string, numPartitions = 1): Promise<void> {
  await retry(() => admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions }] }), {
    attempts: 5,
    isTransient: () => true,
  });
}
