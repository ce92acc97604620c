import { LogGuardianError } from "../errors.ts";
import type { RawRecord } from "../ingest/line.ts";
import { readDeadLetter } from "../kafka/dead-letters.ts";
import type { RangesReader } from "../kafka/read-ranges.ts";
import type { EmbeddedSource } from "./embedded.ts";

/** Letters that a replay reads together at most: they are put back into their old order in memory. */
const mostBytes = 512 * 2 ** 20;

export interface Letters {
  records: RawRecord[];
  /** Only the first bytes of these were kept. */
  cut: number;
}

/**
 * The records behind a pipeline's dead letters, each once.
 * @throws LogGuardianError LG_REPLAY_SIZE where they are too many to be read together.
 */
export async function readLetters(
  reader: RangesReader,
  { pipeline, reason }: { pipeline: string; reason: string | undefined },
): Promise<Letters> {
  const records = new Map<string, RawRecord>();
  const cut = new Set<string>();
  let bytes = 0;
  for (const { batches } of reader.ranges)
    for await (const batch of batches)
      for (const { record, ...letter } of batch.map(readDeadLetter)) {
        // What other roles bury stood on topics of ours, and was lines or a window already.
        if (letter.pipeline !== pipeline || letter.role !== "ingester") continue;
        if (reason !== undefined && letter.reason !== reason) continue;
        const id = `${record.topic} ${record.partition} ${record.offset} ${record.timestamp}`;
        if (letter.isCut) cut.add(id);
        else if (!records.has(id)) {
          bytes += record.value?.length ?? 0;
          if (bytes > mostBytes) throw tooMany();
          records.set(id, record);
        }
      }
  return { records: [...records.values()], cut: cut.size };
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
