import { isDeepStrictEqual } from "node:util";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { decodeEntry, decodeWindow, encodeEntry, encodeWindow } from "../codec/window.ts";
import type { Loaded, Outcome, Progress, WindowState, WindowStore } from "../window/store.ts";
import type { RedisClient } from "./client.ts";

/** Of one call, about: Redis serves nobody else meanwhile. A usual change is one call. */
const itemsPerCall = 20_000;
const bytesPerCall = 8 * 2 ** 20;

/** opened, released, overlap, overlap forgotten, pending: what `lua/windows-write.lua` takes, in its order. */
type Lists = [Item[], Item[], Item[], Item[], Item[]];
type Item = (string | number | Buffer)[];

/**
 * The windows of one lines-partition in Redis: four hashes in one slot (docs/decisions/0003-redis-layout.md).
 * @param name of the pipeline, unique in that Redis.
 */
export function createRedisWindowStore(redis: RedisClient, name: string, partition: number): WindowStore {
  const base = `lg:v1:{${name}:${partition}}`;
  const [stateKey, openKey, overlapKey, pendingKey] = [
    `${base}:state`,
    `${base}:open`,
    `${base}:overlap`,
    `${base}:pending`,
  ];

  async function write(
    expected: Loaded | undefined,
    isReset: boolean,
    { fence, progress }: Pick<WindowState, "fence" | "progress">,
    lists: Lists,
  ): Promise<Outcome> {
    const parts = partsOf(lists);
    let before: (string | number)[] = [expected?.incarnation ?? "", expected?.mark ?? ""];
    let isReplaced = isReset;
    for (const [place, part] of parts.entries()) {
      const mark = place === parts.length - 1 ? fence.mark : `${fence.mark}/${place}`;
      const outcome = (await redis.script(
        "windows-write",
        [stateKey, openKey, overlapKey, pendingKey],
        [
          ...[...before, fence.incarnation, mark, JSON.stringify(progress), isReplaced ? 1 : 0],
          ...part.map(packed),
        ],
      )) as Outcome;
      if (outcome === "fenced") return outcome;
      before = [fence.incarnation, mark];
      isReplaced = false;
    }
    return "applied";
  }

  return {
    async load() {
      for (;;) {
        const before = await redis.hash(stateKey, 100);
        const open = await redis.hash(openKey, 1000);
        const overlap = await redis.hash(overlapKey, 1000);
        const pending = await redis.hash(pendingKey, 10);
        // A former owner may still have been writing.
        if (!isDeepStrictEqual(await redis.hash(stateKey, 100), before)) continue;
        return {
          incarnation: before.get("incarnation")?.toString(),
          state: stateOf(before, { open, overlap, pending }),
        };
      }
    },

    reset: (expected, state) =>
      write(expected, true, state, [
        state.entries.map((entry) => [entry.seq, encodeEntry(entry)]),
        [],
        [...state.overlap],
        [],
        state.pending.map((window) => [window.id, encodeWindow(window)]),
      ]),

    apply: (expected, change) =>
      write(expected, false, change, [
        change.opened.map((entry) => [entry.seq, encodeEntry(entry)]),
        change.released.map((seq) => [seq]),
        [...change.overlap].filter(([, lines]) => lines > 0),
        [...change.overlap].filter(([, lines]) => lines === 0).map(([key]) => [key]),
        change.pending.map((window) => [window.id, encodeWindow(window)]),
      ]),

    async acknowledge(ids) {
      for (let from = 0; from < ids.length; from += 1000)
        await redis.script("windows-acknowledge", [stateKey, pendingKey], ids.slice(from, from + 1000));
    },
  };
}

/** One argument for all: the client and Redis take their time over each. */
function packed(items: readonly Item[]): Buffer {
  const values = items.flatMap((item) =>
    item.map((value) => (Buffer.isBuffer(value) ? value : String(value))),
  );
  const bytes = Buffer.allocUnsafe(values.reduce((sum, value) => sum + 4 + Buffer.byteLength(value), 0));
  let at = 0;
  for (const value of values) {
    const begin = at + 4;
    at = begin + (typeof value === "string" ? bytes.write(value, begin) : value.copy(bytes, begin));
    bytes.writeUInt32BE(at - begin, begin - 4);
  }
  return bytes;
}

/** At least one. */
function partsOf(lists: Lists): [Lists, ...Lists[]] {
  const parts: [Lists, ...Lists[]] = [[[], [], [], [], []]];
  let part = parts[0];
  let [items, bytes] = [0, 0];
  for (const [place, list] of lists.entries())
    for (const item of list) {
      const size = item.reduce<number>(
        (sum, value) => sum + (typeof value === "number" ? 8 : value.length),
        0,
      );
      if (items > 0 && (items === itemsPerCall || bytes + size > bytesPerCall)) {
        part = [[], [], [], [], []];
        parts.push(part);
        [items, bytes] = [0, 0];
      }
      part[place]?.push(item);
      items++;
      bytes += size;
    }
  return parts;
}

const progressSchema = Type.Object({
  specHash: Type.String(),
  specSince: Type.Integer(),
  nextSeq: Type.Integer(),
  maskHash: Type.String(),
  maskSince: Type.Integer(),
  streamTime: Type.Object({
    reached: Type.Integer(),
    sources: Type.Array(
      Type.Object({
        topic: Type.String(),
        incarnation: Type.String(),
        partition: Type.Integer(),
        offset: Type.Integer(),
        index: Type.Integer(),
        time: Type.Integer(),
      }),
    ),
  }),
  repeats: Type.Array(Type.Object({ at: Type.Integer(), offset: Type.Integer(), index: Type.Integer() })),
});

type Hash = Map<string, Buffer>;

/** undefined unless all of it is there and readable. */
function stateOf(state: Hash, hashes: { open: Hash; overlap: Hash; pending: Hash }): WindowState | undefined {
  const textOf = (field: string) => state.get(field)?.toString() ?? "";
  const mark = textOf("mark");
  if (!/^-?\d+$/.test(mark)) return undefined;
  for (const [name, hash] of Object.entries(hashes)) if (textOf(name) !== String(hash.size)) return undefined;
  try {
    return {
      fence: { incarnation: textOf("incarnation"), mark: Number(mark) },
      progress: progressOf(textOf("progress")),
      entries: [...hashes.open]
        .map(([seq, bytes]) => decodeEntry(Number(seq), bytes))
        .sort((a, b) => a.seq - b.seq),
      overlap: new Map([...hashes.overlap].map(([key, lines]) => [key, Number(lines.toString())])),
      pending: [...hashes.pending.values()].map(decodeWindow),
    };
  } catch {
    return undefined;
  }
}

function progressOf(text: string): Progress {
  const progress: Static<typeof progressSchema> = Value.Parse(progressSchema, JSON.parse(text));
  return progress;
}
