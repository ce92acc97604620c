import { LogGuardianError } from "../errors.ts";
import type { RawRecord } from "../ingest/line.ts";
import { readDeadLetter } from "../kafka/dead-letters.ts";
import type { RangesReader } from "../kafka/read-ranges.ts";
import type { EmbeddedSource } from "./embedded.ts";

/** Letters that a replay reads together at most: they are put back into their old order in memory. */
const mostBytes = 512 * 2 ** 20;
/** Partitions of a raw topic that a letter may name. */
const mostPartitions = 10_000;

/** Letters that are left out. */
export interface LettersLeftOut {
  /** Only the first bytes of these were kept. */
  cut: number;
  /** Of a former topic of the same name: they stand where a later record stands. */
  former: number;
  /** Nobody here wrote them: they name no place in a topic. */
  foreign: number;
}

/**
 * The records behind a pipeline's dead letters, each once.
 * @throws LogGuardianError LG_REPLAY_SIZE where they are too many to be read together.
 */
export async function readLetters(
  reader: RangesReader,
  { pipeline, reason }: { pipeline: string; reason: string | undefined },
): Promise<{ records: RawRecord[]; leftOut: LettersLeftOut }> {
  const records = new Map<string, RawRecord>();
  const [cut, former] = [new Set<string>(), new Set<string>()];
  let foreign = 0;
  let bytes = 0;
  for (const { batches } of reader.ranges)
    for await (const batch of batches)
      for (const { record, ...letter } of batch.map(readDeadLetter)) {
        // What other roles bury stood on topics of ours, and was lines or a window already.
        if (letter.pipeline !== pipeline || letter.role !== "ingester") continue;
        if (reason !== undefined && letter.reason !== reason) continue;
        if (!isPlaced(record)) {
          foreign++;
          continue;
        }
        const place = `${record.topic} ${record.partition} ${record.offset}`;
        const id = `${place} ${record.timestamp}`;
        if (letter.isCut) {
          cut.add(id);
          continue;
        }
        const before = records.get(place);
        if (before !== undefined && before.timestamp !== record.timestamp)
          former.add(`${place} ${Math.min(before.timestamp, record.timestamp)}`);
        if (before !== undefined && before.timestamp >= record.timestamp) continue;
        bytes += (record.value?.length ?? 0) - (before?.value?.length ?? 0);
        if (bytes > mostBytes) throw tooMany();
        records.set(place, record);
      }
  return { records: [...records.values()], leftOut: { cut: cut.size, former: former.size, foreign } };
}

function isPlaced({ topic, partition, offset, timestamp }: RawRecord): boolean {
  const isNumber = (value: number) => Number.isSafeInteger(value) && value >= 0;
  return (
    topic !== "" && isNumber(offset) && isNumber(partition) && partition < mostPartitions && timestamp >= -1
  );
}

/** The letters as their raw topics gave them, until the signal ends it. */
export function letterSources(records: readonly RawRecord[], signal: AbortSignal): EmbeddedSource[] {
  const topics = new Map<string, RawRecord[][]>();
  for (const record of records) {
    const partitions = topics.get(record.topic) ?? [];
    topics.set(record.topic, partitions);
    while (partitions.length <= record.partition) partitions.push([]);
    partitions[record.partition]?.push(record);
  }
  return [...topics].flatMap(([name, partitions]) =>
    partitions.map((held, partition) => ({
      name,
      partition,
      batches: batchesOf(
        held.sort((a, b) => a.offset - b.offset),
        signal,
      ),
    })),
  );
}

async function* batchesOf(records: RawRecord[], signal: AbortSignal): AsyncGenerator<RawRecord[]> {
  while (records.length > 0) {
    signal.throwIfAborted();
    yield records.splice(0, 256);
  }
}

function tooMany(): LogGuardianError {
  return new LogGuardianError(
    "LG_REPLAY_SIZE",
    `The dead letters hold more than ${mostBytes / 2 ** 20} MB, too much for one replay.`,
    "Replay them in parts, with --from and --to or --reason.",
  );
}
