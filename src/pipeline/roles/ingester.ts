import { encodeLines } from "../../codec/lines.ts";
import { durationOf, keySpecOf, rawTopicsOf } from "../../config/load.ts";
import { createLineReader } from "../../ingest/line-reader.ts";
import type { RawTopic } from "../../ingest/lines-message.ts";
import type { Assignment } from "../../kafka/consumer.ts";
import type { Committed } from "../../kafka/topics.ts";
import { defaultBundleDir, loadManifest } from "../../model/bundle.ts";
import { createIngester } from "../ingester.ts";
import { topicNames } from "../names.ts";
import { consumerFor, createBury, type Role, type RoleContext, type Services } from "../services.ts";
import { formatOf, lineMaskerOf } from "../stages.ts";
import { createRawPartitionWorker } from "./raw-partition.ts";

/** Number of raw partitions, and where they end, is looked up again after this long. */
const recountEveryMs = 60_000;

/** Raw topics to the lines topic. */
export async function createIngesterRole(context: RoleContext): Promise<Role> {
  const { services, pipeline, options } = context;
  const { config, topics } = services;
  const manifest = await loadManifest(options.bundle ?? defaultBundleDir());
  const { lines } = topicNames(config, pipeline);
  await topics.ensure(lines, { partitions: options.partitions, exactly: true });
  const names = rawTopicsOf(options).map(({ name }) => name);
  const rawTopics = await createRawTopics(services, names);
  const bury = await createBury(context, "ingester");
  const reader = createLineReader(
    {
      format: formatOf(options, services.schemaRegistry),
      masker: lineMaskerOf(manifest, { layout: options.layout, custom: options.mask?.custom ?? [] }),
    },
    { key: keySpecOf(options.key) },
  );
  /** Whether the pipeline has run, and Kafka knows nothing of it for this raw topic. */
  const isForgotten = async ({ allCommitted }: Assignment) =>
    allCommitted.size === 0 && [...(await topics.bounds(lines)).values()].some(({ end }) => end > 0);
  return consumerFor(context, "ingester", names, async (assignment) => {
    const { position, ...note } = beginningOf(assignment, context, await isForgotten(assignment));
    const { incarnation } = note;
    return createRawPartitionWorker({
      source: { topic: assignment.topic, partition: assignment.partition, incarnation },
      position,
      metadata: JSON.stringify(note satisfies CommitNote),
      ingester: createIngester({ reader }, { partitions: options.partitions }),
      rawTopics,
      send: (chunks) =>
        services.sender.send(
          lines,
          chunks.map(({ partition, message }) => ({ partition, value: encodeLines(message) })),
          { packed: true },
        ),
      bury,
      endOf: () =>
        topics.bounds(assignment.topic).then(
          (bounds) => bounds.get(assignment.partition)?.end,
          () => undefined,
        ),
      metrics: services.metrics,
      pipeline,
      idleAfterMs: durationOf(options.idleAfter),
      linesPerSecond: options.limits.linesPerSecond,
    });
  });
}

/** What a commit on a raw topic says beside the offset. */
interface CommitNote {
  /** Tells a topic from its successor of the same name. */
  incarnation: string;
  /** Partitions that the topic had when this one was first read. */
  partitions: number;
}

/** Where reading begins, and in which incarnation of the topic: a topic made anew begins its offsets again. */
function beginningOf(
  { topic, partition, partitions, committed, allCommitted, log }: Assignment,
  { services, pipeline, options }: RoleContext,
  isForgotten: boolean,
): CommitNote & { position: number } {
  if (committed === undefined) {
    if (isForgotten) {
      // With a topic Kafka forgets what was committed of it. Under the old name its lines would be taken for repeats.
      services.metrics.lostOffsets.inc({ pipeline, role: "ingester" });
      services.logger.error(
        "A raw topic was made anew, or is new to this pipeline; it is read from its start.",
        { topic, partition },
      );
      return { incarnation: String(Date.now()), partitions, position: log.start };
    }
    // Whoever begins at the end when a topic is first read must not do so in a partition that was added since.
    const others = [...allCommitted.values()].map(noteOf);
    const isAdded = others.some((other) => partition >= other.partitions);
    return {
      incarnation: String(Math.max(1, ...others.map((other) => Number(other.incarnation)))),
      partitions,
      position: options.from === "earliest" || isAdded ? log.start : log.end,
    };
  }
  const note = noteOf(committed);
  if (committed.offset <= log.end) return { ...note, position: committed.offset };
  services.metrics.lostOffsets.inc({ pipeline, role: "ingester" });
  const event =
    "A raw topic was made anew, or its broker has lost its newest records; it is read from its start.";
  services.logger.error(event, {
    topic,
    partition,
    committed: committed.offset,
    end: log.end,
  });
  return { partitions, incarnation: String(Number(note.incarnation) + 1), position: log.start };
}

/** A commit that is not ours (an operator moved the group) says nothing. */
function noteOf({ metadata }: Committed): CommitNote {
  let said: Partial<CommitNote> | null = null;
  try {
    said = JSON.parse(metadata) as Partial<CommitNote> | null;
  } catch {}
  const { incarnation, partitions } = said ?? {};
  return {
    incarnation: /^\d+$/.test(String(incarnation)) ? String(incarnation) : "1",
    partitions: typeof partitions === "number" ? partitions : 0,
  };
}

/** What feeds the pipeline, looked up now and then. */
async function createRawTopics(
  { topics, logger }: Services,
  names: readonly string[],
): Promise<() => RawTopic[]> {
  const look = () =>
    Promise.all(names.map(async (topic) => ({ topic, partitions: await topics.partitions(topic) })));
  let found = await look();
  let lookedAt = Date.now();
  return () => {
    if (Date.now() - lookedAt > recountEveryMs) {
      lookedAt = Date.now();
      look()
        .then((now) => {
          found = now;
        })
        .catch((thrown) => logger.debug("The raw partitions could not be counted.", { error: thrown }));
    }
    return found;
  };
}
