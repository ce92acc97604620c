import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { decodeFeedback } from "../../src/codec/feedback.ts";
import { loadConfigOfApi } from "../../src/config/load.ts";
import type { OutgoingMessage, Sender } from "../../src/kafka/sender.ts";
import type { Topics } from "../../src/kafka/topics.ts";
import { createFeedbackSink } from "../../src/pipeline/feedback-sink.ts";
import { feedbackOn } from "../../src/verdict/feedback.ts";
import { anomalyFor } from "../support/anomalies.ts";

it("what is said of a verdict stands on the topic in its order, however long a send takes", async () => {
  const { config } = loadConfigOfApi(undefined, {});
  const sent: string[] = [];
  const waits = [200, 0, 0];
  let isDown = true;
  const sender: Pick<Sender, "send"> = {
    async send(_, messages: readonly OutgoingMessage[]) {
      await sleep(waits.shift());
      if (isDown) {
        isDown = false;
        throw new Error("The broker refuses.");
      }
      sent.push(...messages.map(({ value }) => decodeFeedback(value ?? Buffer.alloc(0)).judgement));
    },
  };
  const topics: Pick<Topics, "ensure" | "partitions"> = { ensure: async () => {}, partitions: async () => 3 };
  const say = await createFeedbackSink({ config, topics: topics as Topics, sender: sender as Sender });
  const anomaly = anomalyFor({ id: "1".padStart(32, "0"), pipeline: "hdfs", fingerprint: "aa" });
  const saying = (["confirmed", "false-alarm", "undone"] as const).map((judgement) =>
    say(feedbackOn(anomaly, { judgement, by: "me", at: Date.now() })),
  );
  const outcomes = await Promise.allSettled(saying);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(sent).toEqual(["false-alarm", "undone"]);
});
