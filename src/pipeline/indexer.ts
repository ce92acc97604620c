import { indexLost, type TopicIndex } from "../api/anomaly-index.ts";
import { entryOf } from "../api/index-entry.ts";
import { decodeFeedback } from "../codec/feedback.ts";
import { durationOf } from "../config/load.ts";
import { LogGuardianError } from "../errors.ts";
import type { RawRecord } from "../ingest/line.ts";
import type { PartitionConsumer } from "../kafka/consumer.ts";
import { parseAnomaly } from "../verdict/anomaly.ts";
import { sharedTopicPartitions, topicNames } from "./names.ts";
import { consumerFor, type Services } from "./services.ts";

/** How soon it is noticed that Redis lost the index, or the end of it, where nothing comes. */
const lookEveryMs = 5_000;

/**
 * The anomalies and feedback topics to the index. A commit names the incarnation that holds what was read: where the index
 * is another one, its topics are read again from their start. Where it lost what it took last, as in a failover, they are
 * read on from where it says that it was.
 */
export async function createIndexer(services: Services, index: TopicIndex): Promise<PartitionConsumer> {
  const { config, topics, logger } = services;
  const { anomalies, feedback } = topicNames(config, "");
  await topics.ensure(anomalies, { partitions: sharedTopicPartitions, exactly: false });
  const retentionMs = durationOf(config.api.index.retention);

  async function takeAnomalies(records: readonly RawRecord[], incarnation: string): Promise<void> {
    const oldest = Date.now() - retentionMs;
    const entries = readable(records, ({ value, timestamp }) => {
      const anomaly = parseAnomaly(value);
      assertId(anomaly.event.id, "anomalies");
      return entryOf(anomaly, timestamp);
    }).filter(({ at }) => at >= oldest);
    await index.put(entries, incarnation);
    await index.trim(Date.now());
  }

  async function takeFeedback(records: readonly RawRecord[], incarnation: string): Promise<void> {
    const said = readable(records, ({ value }) => {
      const { lines: _, ...stated } = decodeFeedback(value ?? Buffer.alloc(0));
      assertId(stated.id, "feedback");
      return stated;
    });
    await index.say(said, incarnation);
  }

  /** What is no message of ours stays in its topic; the alerter buries it. */
  function readable<Message>(records: readonly RawRecord[], read: (record: RawRecord) => Message): Message[] {
    return records.flatMap((record) => {
      const { topic, partition, offset } = record;
      try {
        if (record.unreadable !== undefined) throw record.unreadable.error;
        return [read(record)];
      } catch (error) {
        logger.warn("A message is left out of the index.", { topic, partition, offset, error });
        return [];
      }
    });
  }

  return consumerFor({ services }, "api", [anomalies, feedback], async (assignment) => {
    const { topic, partition, committed, log } = assignment;
    const name = `${topic}:${partition}`;
    const incarnation = await index.incarnation();
    const held = await index.readTo(name);
    // A log that ends below what was read of it was made anew.
    const goesOn =
      committed?.metadata === incarnation &&
      held !== undefined &&
      Math.max(held, committed.offset) <= log.end;
    let position = goesOn ? held : log.start;
    await index.advance(name, { from: held, to: position }, incarnation);
    let lookedAt = Date.now();
    if (!goesOn && log.end > log.start)
      logger.info("The index of anomalies is filled from its topic.", {
        topic,
        messages: log.end - log.start,
      });
    return {
      position,
      async process(records) {
        await (topic === anomalies ? takeAnomalies : takeFeedback)(records, incarnation);
        const to = (records.at(-1)?.offset ?? position - 1) + 1;
        await index.advance(name, { from: position, to }, incarnation);
        position = to;
      },
      async tick() {
        if (Date.now() - lookedAt < lookEveryMs) return;
        if ((await index.incarnation()) !== incarnation) throw indexLost();
        await index.advance(name, { from: position, to: position }, incarnation);
        lookedAt = Date.now();
      },
      commitPoint: () => ({ offset: position, metadata: incarnation }),
    };
  });
}

/** Ids are parts of the index's texts. */
function assertId(id: string, topic: string): void {
  if (/^[0-9a-f]{32}$/.test(id)) return;
  throw new LogGuardianError(
    "LG_ANOMALY",
    `A message on the ${topic} topic has the id ${id.slice(0, 100)}, which is none of LogGuardian's.`,
    "Check who else writes to the topic.",
  );
}
