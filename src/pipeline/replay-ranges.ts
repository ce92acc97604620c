import { LogGuardianError } from "../errors.ts";
import type { OffsetRange } from "../kafka/read-ranges.ts";
import type { Topics } from "../kafka/topics.ts";

/** Which part of the topics is read again; the whole by default. */
export interface ReplayPart {
  /** The records' times on Kafka, in milliseconds: from this one on, and to before that one. */
  from?: number;
  to?: number;
  /** First and last offset; where only one topic is read, it needs no name. */
  offsets?: readonly { topic?: string; partition: number; first: number; last: number }[];
}

/**
 * A range for every partition of the topics, be it empty: windows wait until each has been heard of.
 * @throws LogGuardianError LG_USAGE where offsets are asked for that are not there, LG_TOPIC_MISSING, LG_KAFKA_*.
 */
export async function replayRanges(
  topics: Topics,
  names: readonly string[],
  part: ReplayPart,
): Promise<OffsetRange[]> {
  const ranges: OffsetRange[] = [];
  for (const topic of names) {
    await topics.partitions(topic);
    const bounds = await topics.bounds(topic);
    const [from, to] = await Promise.all(
      [part.from, part.to].map((time) => (time === undefined ? undefined : topics.offsetsAt(topic, time))),
    );
    for (const [partition, { start, end }] of bounds)
      ranges.push({
        topic,
        partition,
        from: from?.get(partition) ?? start,
        end: to?.get(partition) ?? end,
      });
  }
  ranges.sort((a, b) => names.indexOf(a.topic) - names.indexOf(b.topic) || a.partition - b.partition);
  return part.offsets === undefined ? ranges : narrowed(ranges, names, part.offsets);
}

/** Records of these ranges at most. */
export function offsetsIn(ranges: readonly OffsetRange[]): number {
  return ranges.reduce((sum, { from, end }) => sum + Math.max(0, end - from), 0);
}

function narrowed(
  ranges: readonly OffsetRange[],
  names: readonly string[],
  offsets: NonNullable<ReplayPart["offsets"]>,
): OffsetRange[] {
  const chosen = new Map<OffsetRange, OffsetRange>();
  const [only] = names.length === 1 ? names : [];
  for (const { topic = only, partition, first, last } of offsets) {
    if (topic === undefined)
      throw new LogGuardianError(
        "LG_USAGE",
        `--offsets does not say of which topic ${partition}:${first}-${last} is.`,
        `Write the topic before it: the pipeline reads ${names.join(", ")}.`,
      );
    const whole = ranges.find((range) => range.topic === topic && range.partition === partition);
    if (whole === undefined)
      throw new LogGuardianError(
        "LG_USAGE",
        `The pipeline reads no partition ${partition} of ${topic}.`,
        `Its topics are ${names.join(", ")}; logguardian replay --dry-run shows their partitions.`,
      );
    if (first < whole.from || last >= whole.end)
      throw new LogGuardianError(
        "LG_USAGE",
        `Partition ${partition} of ${topic} does not hold offsets ${first} to ${last}.`,
        whole.from < whole.end ? `It holds ${whole.from} to ${whole.end - 1}.` : "It holds none.",
      );
    if (chosen.has(whole))
      throw new LogGuardianError(
        "LG_USAGE",
        `Partition ${partition} of ${topic} is named twice in --offsets.`,
        "Give one range for each partition.",
      );
    chosen.set(whole, { ...whole, from: first, end: last + 1 });
  }
  return ranges.map((range) => chosen.get(range) ?? { ...range, end: range.from });
}
