import { decodeEntry, decodeWindow, encodeEntry, encodeWindow } from "../codec/window.ts";
import type { Outcome, Progress, WindowStore } from "../window/store.ts";
import type { RedisClient } from "./client.ts";

/** The windows of one lines-partition in Redis: four hashes in one slot, changed by scripts (`lua/windows-*.lua`). */
export function createRedisWindowStore(redis: RedisClient, pipeline: string, partition: number): WindowStore {
  const base = `lg:v1:{${pipeline}:${partition}}`;
  const keys = ["state", "open", "overlap", "pending"].map((name) => `${base}:${name}`);
  const [stateKey = "", openKey = "", overlapKey = "", pendingKey = ""] = keys;
  return {
    async load() {
      const [state, open, overlap, pending] = (await redis.read((transaction) =>
        [stateKey, openKey, overlapKey, pendingKey].reduce((all, key) => all.hgetallBuffer(key), transaction),
      )) as Record<string, Buffer>[];
      if (!state?.incarnation || !state.mark || !state.progress || !open || !overlap || !pending)
        return undefined;
      // Redis may have evicted a key: what is not whole is not used.
      if (Object.keys(open).length !== Number(state.open)) return undefined;
      if (Object.keys(overlap).length !== Number(state.overlaps)) return undefined;
      return {
        fence: { incarnation: state.incarnation.toString(), mark: Number(state.mark.toString()) },
        progress: JSON.parse(state.progress.toString()) as Progress,
        entries: Object.entries(open)
          .map(([seq, bytes]) => decodeEntry(Number(seq), bytes))
          .sort((a, b) => a.seq - b.seq),
        overlap: new Map(Object.entries(overlap).map(([key, lines]) => [key, Number(lines.toString())])),
        pending: Object.values(pending).map(decodeWindow),
      };
    },

    async reset(expected, { fence, progress, entries, overlap, pending }) {
      return (await redis.script("windows-reset", keys, [
        ...[expected ?? "", fence.incarnation, fence.mark, JSON.stringify(progress)],
        ...[entries.length, 0, overlap.size, pending.length],
        ...entries.flatMap((entry) => [entry.seq, encodeEntry(entry)]),
        ...[...overlap].flat(),
        ...pending.flatMap((window) => [window.id, encodeWindow(window)]),
      ])) as Outcome;
    },

    async apply(expected, { fence, progress, opened, released, overlap, clearOverlap, pending }) {
      return (await redis.script("windows-apply", keys, [
        ...[expected.incarnation, expected.mark, fence.incarnation, fence.mark, JSON.stringify(progress)],
        ...[clearOverlap ? 1 : 0, opened.length, released.length, overlap.size, pending.length],
        ...opened.flatMap((entry) => [entry.seq, encodeEntry(entry)]),
        ...released,
        ...[...overlap].flat(),
        ...pending.flatMap((window) => [window.id, encodeWindow(window)]),
      ])) as Outcome;
    },

    acknowledge: (ids) => redis.deleteFields(pendingKey, ids),
  };
}
