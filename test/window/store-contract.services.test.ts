import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodedLine } from "../../src/codec/line.ts";
import type { KeyedLine } from "../../src/ingest/line.ts";
import type { LinesMessage } from "../../src/ingest/lines-message.ts";
import { connectRedis, type RedisClient } from "../../src/redis/client.ts";
import { createRedisWindowStore } from "../../src/redis/window-store.ts";
import { createRandom } from "../../src/simulate/random.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMemoryStore } from "../../src/window/memory-store.ts";
import { createPartitionWindower } from "../../src/window/partition-windower.ts";
import type { Change, WindowState, WindowStore } from "../../src/window/store.ts";
import type { Window, WindowSpec } from "../../src/window/window.ts";
import { decodedWindow } from "../support/decoded.ts";
import { services } from "../support/services.ts";
import { progress } from "../support/window-progress.ts";

let redis: RedisClient;
beforeAll(async () => {
  redis = await connectRedis({ url: services.redis.url }, { logger: silentLogger, health: createHealth() });
});
afterAll(() => redis.close());

const stores: [string, () => WindowStore][] = [
  ["memory", createMemoryStore],
  ["Redis", () => createRedisWindowStore(redis, `test-${randomUUID()}`, 3)],
];

function line(key: string, time: number, offset: number): KeyedLine {
  const text = `${key} at ${time} – ü`;
  const position = { topic: "raw", partition: 0, offset, index: 0 };
  return { position, time, origin: { host: "h", file: "a.log" }, text, masked: text, keys: [key] };
}

const window: Window = {
  id: "w1",
  pipeline: "p",
  key: "k",
  revision: 0,
  reason: "gap",
  start: 1,
  end: 2,
  maskHash: "m",
  lines: [unkeyed(line("k", 1, 0))],
  formerIds: [],
};

function unkeyed({ keys: _, ...rest }: KeyedLine) {
  return rest;
}

function entry(seq: number, key = "k") {
  return { seq, offset: seq, key, incarnation: "1", line: unkeyed(line(key, seq, seq)) };
}

function change(incarnation: string, mark: number, of: Partial<Change> = {}): Change {
  return {
    fence: { incarnation, mark },
    progress,
    opened: [],
    released: [],
    overlap: new Map(),
    pending: [],
    ...of,
  };
}

const state = (of: Partial<WindowState> = {}): WindowState => ({
  fence: { incarnation: "a", mark: 4 },
  progress,
  entries: [entry(1), entry(2)],
  overlap: new Map([["k", 1]]),
  pending: [],
  ...of,
});

/** As plain data, to be compared. */
async function stateOf(store: WindowStore): Promise<WindowState | undefined> {
  const { state } = await store.load();
  return (
    state && { ...state, entries: state.entries.map((one) => ({ ...one, line: decodedLine(one.line) })) }
  );
}

describe.each(stores)("the window store in %s", (_, create) => {
  it("holds nothing at first", async () => {
    expect(await create().load()).toEqual({ incarnation: undefined, state: undefined });
  });

  it("gives back what was put in, in order", async () => {
    const store = create();
    const many = Array.from({ length: 5000 }, (_, seq) => entry(seq));
    expect(await store.reset(undefined, state({ entries: many, pending: [window] }))).toBe("applied");
    expect(await stateOf(store)).toEqual(state({ entries: many, pending: [window] }));
  });

  it("applies a change as a whole", async () => {
    const store = create();
    await store.reset(undefined, state());
    const changed = change("a", 9, {
      opened: [entry(10), entry(11)],
      released: [1],
      overlap: new Map([["z", 2]]),
      pending: [window],
    });
    expect(await store.apply({ incarnation: "a", mark: 4 }, changed)).toBe("applied");
    expect(await stateOf(store)).toEqual({
      fence: { incarnation: "a", mark: 9 },
      progress,
      entries: [entry(2), entry(10), entry(11)],
      overlap: new Map([
        ["k", 1],
        ["z", 2],
      ]),
      pending: [window],
    });
    const forgotten = new Map([
      ["k", 0],
      ["z", 3],
    ]);
    await store.apply({ incarnation: "a", mark: 9 }, change("a", 10, { overlap: forgotten }));
    expect((await store.load()).state?.overlap).toEqual(new Map([["z", 3]]));
  });

  it("changes nothing for one who expects another mark or incarnation", async () => {
    const store = create();
    await store.reset(undefined, state());
    const changed = change("a", 9, { released: [1, 2], pending: [window] });
    expect(await store.apply({ incarnation: "a", mark: 3 }, changed)).toBe("fenced");
    expect(await store.apply({ incarnation: "b", mark: 4 }, changed)).toBe("fenced");
    const another = state({ fence: { incarnation: "c", mark: 9 }, entries: [] });
    expect(await store.reset({ incarnation: "b" }, another)).toBe("fenced");
    expect(await store.reset(undefined, another)).toBe("fenced");
    // The owner has gone on since: what it has closed would be forgotten.
    expect(await store.reset({ incarnation: "a", mark: 3 }, another)).toBe("fenced");
    expect(await stateOf(store)).toEqual(state());
    expect(await store.reset({ incarnation: "a", mark: 4 }, another)).toBe("applied");
  });

  it("forgets windows that were acknowledged", async () => {
    const store = create();
    await store.reset(undefined, state({ pending: [window, { ...window, id: "w2" }] }));
    await store.acknowledge(["w1", "unknown"]);
    expect((await store.load()).state?.pending.map(({ id }) => id)).toEqual(["w2"]);
  });

  it.each<[string, WindowSpec]>([
    ["session", { kind: "session", gapMs: 150, maxLines: 100 }],
    ["ended session", { kind: "session", gapMs: 400, maxLines: 100, end: "0 – ü$" }],
    ["time", { kind: "time", spanMs: 500, slideMs: 200, latenessMs: 50, maxLines: 100 }],
    ["sliding", { kind: "sliding", size: 7, stride: 3 }],
  ])("lets windowers die at any message without changing one %s window", async (_, spec) => {
    const messages = messagesOf(400);
    const expected = await windowsOf(createMemoryStore(), spec, messages, () => false);
    expect(expected.length).toBeGreaterThan(30);
    const random = createRandom(3);
    const survived = await windowsOf(create(), spec, messages, () => random.below(10) === 0);
    expect(survived).toEqual(expected);
  });

  it("brings sessions back exactly when the store has lost everything", async () => {
    const spec: WindowSpec = { kind: "session", gapMs: 150, maxLines: 100 };
    const messages = messagesOf(400);
    const expected = await windowsOf(createMemoryStore(), spec, messages, () => false);
    for (const lostAfter of [20, 137, 300]) {
      const first = createPartitionWindower({ store: create() }, { pipeline: "p", spec });
      await first.resume();
      const numbered = messages.map((message, offset) => ({ offset, message }));
      const before = await first.advance(numbered.slice(0, lostAfter));
      const committed = first.commitPoint();
      expect(committed.rebuildFrom).toBeLessThan(committed.offset);
      const second = createPartitionWindower({ store: create() }, { pipeline: "p", spec });
      const { position } = await second.resume(committed);
      expect(position).toBe(committed.rebuildFrom);
      const after: Window[] = [];
      for (const one of numbered.slice(position)) after.push(...(await second.advance([one])));
      expect([...before, ...after].map(decodedWindow).sort(byId)).toEqual(expected);
    }
  });

  it("lets nobody cut windows anew from a state that its owner has left behind", async () => {
    const store = create();
    const [first, second] = messagesOf(2);
    if (!first || !second) throw new Error();
    const windowerOf = (size: number, on = store) =>
      createPartitionWindower(
        { store: on },
        { pipeline: "p", spec: { kind: "sliding", size, stride: size } },
      );
    const owner = windowerOf(1);
    await owner.resume();
    await owner.advance([{ offset: 0, message: first }]);
    // One that slept, or is slow, and would cut otherwise; the owner goes on after it has loaded.
    const closed: Window[] = [];
    const slow = windowerOf(2, {
      ...store,
      async load() {
        const loaded = await store.load();
        closed.push(...(await owner.advance([{ offset: 1, message: second }])));
        return loaded;
      },
    });
    await expect(slow.resume()).rejects.toMatchObject({ code: "LG_WINDOW_FENCED" });
    expect(closed.length).toBeGreaterThan(0);
    const left = (await store.load()).state?.pending.map(({ id }) => id);
    expect(left).toEqual(expect.arrayContaining(closed.map(({ id }) => id)));
  });

  it("takes no log for one made anew that its owner filled while another was loading", async () => {
    const store = create();
    const [first] = messagesOf(1);
    if (!first) throw new Error();
    const spec: WindowSpec = { kind: "sliding", size: 7, stride: 3 };
    const owner = createPartitionWindower({ store }, { pipeline: "p", spec });
    await owner.resume();
    let end = 0;
    const filling: WindowStore = {
      ...store,
      async load() {
        await owner.advance([{ offset: 0, message: first }]);
        end = 1;
        return store.load();
      },
    };
    const other = createPartitionWindower({ store: filling }, { pipeline: "p", spec });
    expect((await other.resume(undefined, async () => ({ start: 0, end }))).position).toBe(1);
  });

  it("shuts a former owner out", async () => {
    const store = create();
    const spec: WindowSpec = { kind: "sliding", size: 7, stride: 3 };
    const [first, second] = messagesOf(2);
    const zombie = createPartitionWindower({ store }, { pipeline: "p", spec });
    await zombie.resume();
    const owner = createPartitionWindower({ store }, { pipeline: "p", spec });
    await owner.resume();
    if (!first || !second) throw new Error();
    await expect(zombie.advance([{ offset: 0, message: first }])).rejects.toMatchObject({
      code: "LG_WINDOW_FENCED",
    });
    await owner.advance([{ offset: 0, message: first }]);
    expect(owner.commitPoint().offset).toBe(1);
  });
});

const byId = (a: Window, b: Window) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** Chunks of random lines, then a flush. */
function messagesOf(count: number): LinesMessage[] {
  const random = createRandom(11);
  let time = 0;
  let offset = 0;
  const messages = Array.from({ length: count }, (): LinesMessage => {
    const lines = Array.from({ length: 1 + random.below(4) }, () => {
      time += random.below(30);
      return line(`k${random.below(9)}`, time, offset++);
    });
    return {
      kind: "chunk",
      source: { topic: "raw", incarnation: "1", partition: 0 },
      topics: [{ topic: "raw", partitions: 1 }],
      through: { offset: offset - 1, index: 0 },
      streamTime: time,
      maskHash: "m",
      lines,
    };
  });
  return [...messages, { kind: "flush", label: "test" }];
}

/** All windows by id; a windower that dies has taken its batch in but published nothing of it. */
async function windowsOf(
  store: WindowStore,
  spec: WindowSpec,
  messages: LinesMessage[],
  dies: () => boolean,
): Promise<Window[]> {
  const random = createRandom(2);
  const windows: Window[] = [];
  const start = async () => {
    const windower = createPartitionWindower({ store }, { pipeline: "p", spec });
    const { position, pending } = await windower.resume();
    windows.push(...pending);
    await windower.published(pending.map(({ id }) => id));
    return { windower, position };
  };
  let { windower, position } = await start();
  while (position < messages.length) {
    const size = 1 + random.below(5);
    const batch = messages.slice(position, position + size).map((message, place) => ({
      offset: position + place,
      message,
    }));
    const closed = await windower.advance(batch);
    if (dies()) {
      ({ windower, position } = await start());
      continue;
    }
    windows.push(...closed);
    await windower.published(closed.map(({ id }) => id));
    position += batch.length;
  }
  return windows.map(decodedWindow).sort(byId);
}
