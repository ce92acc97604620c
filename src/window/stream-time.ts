import { earliestTime, type LinesChunk, latestTime, type RawPartition } from "../ingest/lines-message.ts";

/** How far each raw partition has been taken in, and the time they have all reached. */
export interface StreamTime {
  /** Takes a chunk's progress in, after its lines. */
  report(chunk: LinesChunk): void;
  /** Stream time was here before. */
  reach(time: number): void;
  /** The newest line of this source that was taken in: none up to it is new. */
  newest(source: RawPartition): LinePlace | undefined;
  /** This line of the source, and all before it, were taken in. */
  tookIn(source: RawPartition, newest: LinePlace): void;
  /**
   * Milliseconds; the lowest over the raw partitions that the newest chunk names, once each has reported. Never goes
   * back. A raw topic that has left the pipeline no longer counts.
   */
  now(): number;
  snapshot(): StreamTimeState;
}

/** Of a line in its raw partition. */
export interface LinePlace {
  offset: number;
  index: number;
}

/** Whether a line stands at another of its raw partition, or before it. */
export function isUpTo({ offset, index }: LinePlace, other: LinePlace): boolean {
  return offset < other.offset || (offset === other.offset && index <= other.index);
}

/** Everything that stream time remembers, as plain data. */
export interface StreamTimeState {
  reached: number;
  sources: (RawPartition & { offset: number; index: number; time: number })[];
}

type Source = StreamTimeState["sources"][number];

export function createStreamTime(restored?: StreamTimeState): StreamTime {
  const sources = new Map<string, Source>();
  let reached = restored?.reached ?? earliestTime;
  const nameOf = ({ topic, partition }: Omit<RawPartition, "incarnation">) => `${topic} ${partition}`;
  for (const source of restored?.sources ?? []) sources.set(nameOf(source), source);

  /** What is known of this incarnation of the source: a topic made anew begins its offsets again. */
  function known(source: RawPartition): Source | undefined {
    const found = sources.get(nameOf(source));
    return found?.incarnation === source.incarnation ? found : undefined;
  }

  return {
    newest: known,
    tookIn(source, { offset, index }) {
      if (known(source) === undefined)
        sources.set(nameOf(source), { ...source, offset, index, time: earliestTime });
    },
    reach(time) {
      reached = Math.max(reached, time);
    },
    report({ source, through, streamTime, topics }) {
      const before = sources.get(nameOf(source));
      const same = known(source);
      const { offset, index } = same !== undefined && isUpTo(through, same) ? same : through;
      const time = Math.max(before?.time ?? earliestTime, streamTime);
      sources.set(nameOf(source), { ...source, offset, index, time });
      let lowest = latestTime;
      for (const { topic, partitions } of topics)
        for (let partition = 0; partition < partitions; partition++) {
          const reported = sources.get(nameOf({ topic, partition }));
          if (reported === undefined) return;
          lowest = Math.min(lowest, reported.time);
        }
      reached = Math.max(reached, lowest);
    },
    now: () => reached,
    snapshot: () => ({ reached, sources: [...sources.values()] }),
  };
}
