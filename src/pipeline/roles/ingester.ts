import { encodeLines } from "../../codec/lines.ts";
import { durationOf, keySpecOf, rawTopicsOf } from "../../config/load.ts";
import { createLineReader } from "../../ingest/line-reader.ts";
import { earliestTime, type RawPartition, type RawTopic, splitChunk } from "../../ingest/lines-message.ts";
import type { Assignment } from "../../kafka/consumer.ts";
import type { PartitionWorker } from "../../kafka/partition-worker.ts";
import type { Committed } from "../../kafka/topics.ts";
import { defaultBundleDir, loadManifest } from "../../model/bundle.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { type AddressedChunk, createIngester, type Ingester } from "../ingester.ts";
import { topicNames } from "../names.ts";
import { createQuota } from "../quota.ts";
import {
  type Bury,
  consumerFor,
  createBury,
  type Role,
  type RoleContext,
  type Services,
} from "../services.ts";
import { formatOf, lineMaskerOf } from "../stages.ts";

/** A raw partition reports its progress to lines-partitions that its lines do not reach this often. */
const markEveryMs = 1_000;
/** Taken in with one send: each goes to all lines-partitions, and what it costs beside its lines is shared by more of them. */
const maxRecords = 1024;
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
    return createWorker({
      source: { topic: assignment.topic, partition: assignment.partition, incarnation },
      position,
      metadata: JSON.stringify(note satisfies CommitNote),
      ingester: createIngester({ reader }, { partitions: options.partitions }),
      rawTopics,
      send: (chunks) =>
        services.sender.send(
          lines,
          chunks.map(({ partition, message }) => ({ partition, value: encodeLines(message) })),
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
    const before = Math.min(...[...allCommitted.values()].map((one) => noteOf(one).partitions));
    const isAdded = partition >= before;
    return {
      incarnation: "1",
      partitions,
      position: options.from === "earliest" || isAdded ? log.start : log.end,
    };
  }
  const note = noteOf(committed);
  if (committed.offset <= log.end) return { ...note, position: committed.offset };
  services.metrics.lostOffsets.inc({ pipeline, role: "ingester" });
  services.logger.error("A raw topic was made anew; what was not read of the former one is lost.", {
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

const partitionsOf = (topics: readonly RawTopic[]) =>
  topics.reduce((sum, { partitions }) => sum + partitions, 0);

interface WorkerParts {
  source: RawPartition;
  position: number;
  /** Of every commit. */
  metadata: string;
  ingester: Ingester;
  rawTopics: () => RawTopic[];
  send: (chunks: readonly AddressedChunk[]) => Promise<void>;
  bury: Bury;
  /** Where the log ends now; undefined where the broker does not say. */
  endOf: () => Promise<number | undefined>;
  metrics: Metrics;
  pipeline: string;
  idleAfterMs: number;
  /** Of the whole pipeline; each raw partition has an equal share. */
  linesPerSecond: number | undefined;
}

/** One raw partition. One send is under way at most, so that what was sent is always a prefix without gaps. */
function createWorker(parts: WorkerParts): PartitionWorker {
  const { source, ingester, rawTopics, send, bury, metrics, pipeline, idleAfterMs, linesPerSecond } = parts;
  const quota = createQuota();
  // A quiet source holds nothing open, and need not say so every second.
  const idleEveryMs = Math.min(10_000, Math.max(markEveryMs, idleAfterMs / 6));
  let position = parts.position;
  /** Follows what was sent, not what was read. */
  let committable = parts.position;
  let lastRecordAt = Date.now();
  let lastIdleAt = 0;
  let sentStreamTime = earliestTime;
  /** When each lines-partition was last told, and whether it knows the newest progress. */
  const told: { at: number; isNewest: boolean }[] = [];

  const sendSplit = (chunks: readonly AddressedChunk[]) =>
    send(
      chunks.flatMap(({ partition, message }) =>
        splitChunk(message, sentStreamTime).map((part) => ({ partition, message: part })),
      ),
    );

  async function tell(chunks: readonly AddressedChunk[]): Promise<void> {
    const now = Date.now();
    const due = chunks.filter(
      ({ partition, message }) => message.lines.length > 0 || now - (told[partition]?.at ?? 0) >= markEveryMs,
    );
    const isDue = new Set(due.map(({ partition }) => partition));
    for (const { partition } of chunks)
      if (!isDue.has(partition)) told[partition] = { at: told[partition]?.at ?? 0, isNewest: false };
    await sendSplit(due);
    for (const { partition } of due) told[partition] = { at: now, isNewest: true };
  }

  return {
    position,
    maxRecords,
    async process(records) {
      const { chunks, deadLetters, ...counts } = await ingester.ingest(source, records, rawTopics());
      await bury(deadLetters);
      await tell(chunks);
      sentStreamTime = chunks[0]?.message.streamTime ?? sentStreamTime;
      position = (records.at(-1)?.offset ?? position - 1) + 1;
      committable = ingester.oldestPiece(source) ?? position;
      lastRecordAt = Date.now();
      if (linesPerSecond !== undefined) quota.take(counts.lines, linesPerSecond / partitionsOf(rawTopics()));
      metrics.records.inc({ pipeline }, records.length);
      metrics.lines.inc({ pipeline }, counts.lines);
      metrics.clampedTimes.inc({ pipeline }, counts.clampedTimes);
      metrics.leftOutKeys.inc({ pipeline }, counts.leftOutKeys);
    },
    pauseMs: quota.pauseMs,
    async tick({ position: expected, end }) {
      if (expected < end) return;
      const now = Date.now();
      if (told.some(({ isNewest }) => !isNewest)) {
        const marks = ingester.progress(source, rawTopics());
        await tell(marks.filter(({ partition }) => told[partition]?.isNewest === false));
      }
      if (now - lastRecordAt < idleAfterMs || now - lastIdleAt < idleEveryMs) return;
      // Only what was read to its very end is idle; that is asked of the broker, which may be away.
      if ((await parts.endOf()) !== expected) return;
      lastIdleAt = now;
      await sendSplit(ingester.idle(source, now, rawTopics()));
      committable = position;
    },
    commitPoint: () => ({ offset: committable, metadata: parts.metadata }),
  };
}
