import { type Anomaly, headersOf } from "../../src/verdict/anomaly.ts";
import type { Stream } from "./stream.ts";

/** Onto the anomalies topic, as the detector does; what is a text is no verdict. */
export async function publish(
  { kafka, prefix }: Pick<Stream, "kafka" | "prefix">,
  anomalies: readonly (Anomaly | string)[],
): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({
    topic: `${prefix}.anomalies`,
    messages: anomalies.map((one) =>
      typeof one === "string"
        ? { value: one, partition: 0 }
        : { value: JSON.stringify(one), headers: headersOf(one), key: one.logguardian.key, partition: 0 },
    ),
  });
  await producer.disconnect();
}
