import type { Config } from "../config/schema.ts";
import { LogGuardianError } from "../errors.ts";
import { topicNames } from "../pipeline/names.ts";
import { type Anomaly, isNewer, parseAnomaly } from "../verdict/anomaly.ts";
import { recordsOnTopic } from "./topic-records.ts";

/** The newest revision of a verdict. @throws LogGuardianError LG_VERDICT_UNKNOWN, LG_KAFKA_*. */
export async function verdictOnTopic(id: string, config: Config): Promise<Anomaly> {
  let newest: Anomaly | undefined;
  for await (const anomaly of anomaliesOnTopic(config, id))
    if (newest === undefined || isNewer(anomaly, newest)) newest = anomaly;
  if (newest !== undefined) return newest;
  throw new LogGuardianError(
    "LG_VERDICT_UNKNOWN",
    `${topicNames(config, "").anomalies} holds no verdict ${id}.`,
    "Take the id from event.id, the header lg-id or the alert's verdict_id; it is gone once the topic's retention has passed.",
  );
}

/** All that the topic holds, or those with this id. What is no verdict of ours is left out. @throws LogGuardianError LG_KAFKA_*. */
export async function* anomaliesOnTopic(config: Config, id?: string): AsyncGenerator<Anomaly> {
  for await (const { value, headers } of recordsOnTopic(config, topicNames(config, "").anomalies)) {
    if (id !== undefined && String(headers["lg-id"]) !== id) continue;
    const anomaly = anomalyIn(value);
    if (anomaly !== undefined) yield anomaly;
  }
}

/** undefined: it is no verdict of ours. */
export function anomalyIn(value: Buffer | null): Anomaly | undefined {
  try {
    return parseAnomaly(value);
  } catch {
    return undefined;
  }
}
