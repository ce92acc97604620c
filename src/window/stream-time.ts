import type { LinesChunk } from "../ingest/lines-message.ts";

/** How far each raw partition has been taken in, and the time they have all reached. */
export interface StreamTime {
  /** Takes a chunk's progress in, after its lines. */
  report(chunk: LinesChunk): void;
  /** Whether a line of this chunk's source was taken in before: a repeat. */
  isRepeat(chunk: LinesChunk, position: { offset: number; index: number }): boolean;
  /** Milliseconds; the lowest over all sources once each has reported. Never goes back. */
  now(): number;
}

export function createStreamTime(): StreamTime {
  const sources = new Map<string, { offset: number; index: number; time: number }>();
  let reached = Number.MIN_SAFE_INTEGER;
  const nameOf = ({ source }: LinesChunk) => `${source.topic} ${source.incarnation} ${source.partition}`;
  return {
    isRepeat(chunk, { offset, index }) {
      const highest = sources.get(nameOf(chunk));
      if (highest === undefined) return false;
      return offset < highest.offset || (offset === highest.offset && index <= highest.index);
    },
    report(chunk) {
      const name = nameOf(chunk);
      const known = sources.get(name) ?? { offset: -1, index: 0, time: Number.MIN_SAFE_INTEGER };
      const { offset, index } = chunk.through;
      const isAhead = offset > known.offset || (offset === known.offset && index > known.index);
      sources.set(name, {
        ...(isAhead ? { offset, index } : { offset: known.offset, index: known.index }),
        time: Math.max(known.time, chunk.streamTime),
      });
      if (sources.size < chunk.sourceCount) return;
      let lowest = Number.MAX_SAFE_INTEGER;
      for (const { time } of sources.values()) lowest = Math.min(lowest, time);
      reached = Math.max(reached, lowest);
    },
    now: () => reached,
  };
}
