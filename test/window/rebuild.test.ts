import { describe, expect, it } from "vitest";
import type { KeyedLine } from "../../src/ingest/line.ts";
import type { LinesMessage } from "../../src/ingest/lines-message.ts";
import { createRandom } from "../../src/simulate/random.ts";
import { createMemoryStore } from "../../src/window/memory-store.ts";
import {
  type CommitPoint,
  createPartitionWindower,
  type OpenLimits,
} from "../../src/window/partition-windower.ts";
import type { Window, WindowSpec } from "../../src/window/window.ts";

type Random = ReturnType<typeof createRandom>;

const noLimits: OpenLimits = { maxOpenWindows: 1e9, maxOpenBytes: 1e12 };

/**
 * Lines of two raw partitions; `lateEvery`: one in so many lies far behind its source's time. Now and then an ingester
 * died, and its successor sends lines again.
 */
function messagesOf(random: Random, count: number, lateEvery?: number): LinesMessage[] {
  const sources = [0, 1].map((partition) => ({ partition, time: 0, offset: 0, sent: [] as KeyedLine[] }));
  const messages = Array.from({ length: count }, (): LinesMessage => {
    const source = sources[random.below(2)] ?? { partition: 0, time: 0, offset: 0, sent: [] };
    const { partition } = source;
    const again = random.below(12) === 0 ? source.sent.slice(-random.below(40) - 1) : [];
    const fresh = Array.from({ length: random.below(5) }, (): KeyedLine => {
      source.time += random.below(30);
      const time = lateEvery !== undefined && random.below(lateEvery) === 0 ? source.time - 400 : source.time;
      // Some keys are busy and some are slow.
      const key = `k${random.below(3) === 0 ? random.below(12) : random.below(2)}`;
      const position = { topic: "raw", partition, offset: source.offset++, index: 0 };
      const text = `${partition}:${position.offset}`;
      return { position, time, origin: {}, text, masked: text, keys: [key] };
    });
    source.sent.push(...fresh);
    return {
      kind: "chunk",
      source: { topic: "raw", incarnation: "1", partition },
      topics: [{ topic: "raw", partitions: 2 }],
      through: { offset: source.offset - 1, index: 0 },
      streamTime: source.time,
      maskHash: "m",
      lines: [...again, ...fresh],
    };
  });
  return [...messages, { kind: "flush", label: "test" }];
}

interface Life {
  limits?: OpenLimits;
  /** What befalls a windower after a batch; `lost`: its store too. */
  fate(): "lives" | "dies" | "lost";
  spec(): WindowSpec;
}

/** Windows as the windows queue has them, repeats included. A crash comes before publishing, before the commit or after it. */
async function windowsOf(
  random: Random,
  messages: LinesMessage[],
  { limits, fate, spec }: Life,
): Promise<Window[]> {
  const queue: Window[] = [];
  let store = createMemoryStore();
  let committed: CommitPoint | undefined;
  for (;;) {
    const windower = createPartitionWindower(
      { store },
      { pipeline: "p", spec: spec(), limits: limits ?? noLimits },
    );
    const publish = async (windows: readonly Window[]) => {
      queue.push(...windows);
      await windower.published(windows.map(({ id }) => id));
    };
    let { position, pending } = await windower.resume(committed, async () => ({
      start: 0,
      end: messages.length,
    }));
    await publish(pending);
    for (let end: "lives" | "dies" | "lost" = "lives"; end === "lives"; ) {
      if (position >= messages.length) return queue;
      const size = 1 + random.below(8);
      const batch = messages.slice(position, position + size);
      const closed = await windower.advance(batch.map((message, at) => ({ offset: position + at, message })));
      position += batch.length;
      end = position >= messages.length ? "lives" : fate();
      const diesAt = end === "lives" ? 2 : random.below(3);
      if (diesAt > 0) await publish(closed);
      if (diesAt > 1) committed = windower.commitPoint();
      if (end === "lost") store = createMemoryStore();
    }
  }
}

const lostOf = (messages: readonly LinesMessage[], windows: readonly Window[]) => {
  const held = textsOf(windows);
  return [...allTexts(messages)].filter((text) => !held.has(text));
};
const textsOf = (windows: readonly Window[]) =>
  new Set(windows.flatMap(({ lines }) => lines.map(({ text }) => text)));
const allTexts = (messages: readonly LinesMessage[]) =>
  new Set(messages.flatMap((one) => (one.kind === "chunk" ? one.lines.map(({ text }) => text) : [])));

const kinds: [string, WindowSpec][] = [
  ["sessions", { kind: "session", gapMs: 150, maxLines: 1000 }],
  ["sessions with a limit", { kind: "session", gapMs: 1500, maxLines: 20 }],
  ["sessions with an end", { kind: "session", gapMs: 1500, maxLines: 20, end: "[05]$" }],
  ["time windows", { kind: "time", spanMs: 400, slideMs: 400, latenessMs: 100, maxLines: 1000 }],
  ["time windows that overlap", { kind: "time", spanMs: 500, slideMs: 200, latenessMs: 0, maxLines: 1000 }],
  ["time windows with a limit", { kind: "time", spanMs: 1500, slideMs: 600, latenessMs: 100, maxLines: 15 }],
  ["sliding windows", { kind: "sliding", size: 20, stride: 20 }],
  ["overlapping windows", { kind: "sliding", size: 17, stride: 5 }],
  ["sliding windows that end", { kind: "sliding", size: 20, stride: 7, idleMs: 300 }],
];
const limited: OpenLimits = { maxOpenWindows: 6, maxOpenBytes: 16_000 };

describe.each(kinds)("%s", (_, spec) => {
  it.each([
    ["unbounded", noLimits],
    ["bounded", limited],
  ])("%s, lose no line, whatever dies and is lost", async (_, limits) => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = createRandom(seed);
      const messages = messagesOf(random, 300, 20);
      const fate = () => (["lost", "dies", "lives"] as const)[Math.min(2, random.below(40))] ?? "lives";
      const windows = await windowsOf(random, messages, { fate, spec: () => spec, limits });
      expect(lostOf(messages, windows), `seed ${seed}`).toEqual([]);
    }
  });

  it("are the same windows, each once, where nothing is lost but windowers", async () => {
    const messages = messagesOf(createRandom(1), 300, 20);
    for (const limits of [noLimits, limited]) {
      const whole = await windowsOf(createRandom(2), messages, {
        fate: () => "lives",
        spec: () => spec,
        limits,
      });
      const random = createRandom(3);
      const fate = () => (random.below(5) === 0 ? "dies" : "lives");
      const survived = await windowsOf(random, messages, { fate, spec: () => spec, limits });
      expect(byId(survived)).toEqual(byId(whole));
    }
  });
});

describe("windows cut otherwise after a restart", () => {
  it("lose no line, whatever dies and is lost", async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = createRandom(seed);
      const messages = messagesOf(random, 200, 20);
      const fate = () => (["lost", "dies", "lives"] as const)[Math.min(2, random.below(40))] ?? "lives";
      const spec = () => kinds[random.below(kinds.length)]?.[1] ?? { kind: "sliding", size: 3, stride: 3 };
      const limits = seed % 2 === 0 ? noLimits : limited;
      const windows = await windowsOf(random, messages, { fate, spec, limits });
      expect(lostOf(messages, windows), `seed ${seed}`).toEqual([]);
    }
  });

  it("hold each line once, where the store has what was open", async () => {
    const messages = messagesOf(createRandom(4), 200);
    const specs: WindowSpec[] = [
      { kind: "sliding", size: 20, stride: 20 },
      { kind: "sliding", size: 10, stride: 10 },
      { kind: "session", gapMs: 100, maxLines: 30 },
      { kind: "time", spanMs: 200, slideMs: 200, latenessMs: 0, maxLines: 30 },
    ];
    let lives = 0;
    const random = createRandom(5);
    const spec = () => specs[lives++ % specs.length] ?? { kind: "sliding", size: 1, stride: 1 };
    const windows = await windowsOf(random, messages, {
      fate: () => (random.below(6) === 0 ? "dies" : "lives"),
      spec,
    });
    const once = [...byId(windows).values()].flatMap(({ lines }) => lines.map(({ text }) => text));
    expect(lives).toBeGreaterThan(5);
    expect(once.sort()).toEqual([...allTexts(messages)].sort());
  });
});

describe.each<[string, WindowSpec, lateEvery?: number]>([
  ["sessions that end by the gap", { kind: "session", gapMs: 150, maxLines: 1000 }],
  ["time windows", { kind: "time", spanMs: 400, slideMs: 400, latenessMs: 100, maxLines: 1000 }, 20],
  [
    "time windows that overlap",
    { kind: "time", spanMs: 500, slideMs: 200, latenessMs: 0, maxLines: 1000 },
    20,
  ],
])("%s", (_, spec, lateEvery) => {
  it("come back exactly, whatever dies and is lost", async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = createRandom(seed);
      const messages = messagesOf(random, 300, lateEvery);
      const whole = await windowsOf(createRandom(0), messages, { fate: () => "lives", spec: () => spec });
      const fate = () => (["lost", "dies", "lives"] as const)[Math.min(2, random.below(40))] ?? "lives";
      const survived = await windowsOf(random, messages, { fate, spec: () => spec });
      expect(byId(survived), `seed ${seed}`).toEqual(byId(whole));
    }
  });
});

describe("sessions that end by a line", () => {
  it("lose no line to a session that the rebuild finds longer", async () => {
    const chunk = (
      partition: number,
      streamTime: number,
      lines: [string, number, number][],
    ): LinesMessage => ({
      kind: "chunk",
      source: { topic: "raw", incarnation: "1", partition },
      topics: [{ topic: "raw", partitions: 2 }],
      through: { offset: lines.at(-1)?.[2] ?? 0, index: 0 },
      streamTime,
      maskHash: "m",
      lines: lines.map(([key, time, offset]) => {
        const position = { topic: "raw", partition, offset, index: 0 };
        return { position, time, origin: {}, text: `${key} ${time}`, masked: "m", keys: [key] };
      }),
    });
    const messages = [
      chunk(0, 1000, []),
      chunk(1, 200, [
        ["z", 350, 1],
        ["a", 200, 2],
      ]),
      // The session of 200 ends here: what comes now is apart from it, but not for one who reads on from z.
      chunk(1, 301, []),
      chunk(1, 301, [["a", 290, 3]]),
      chunk(1, 301, [["a", 180, 4]]),
    ].map((message, offset) => ({ offset, message }));
    const spec: WindowSpec = { kind: "session", gapMs: 100, maxLines: 10, end: " 180$" };
    const create = () => createPartitionWindower({ store: createMemoryStore() }, { pipeline: "p", spec });
    const first = create();
    await first.resume();
    const published = await first.advance(messages);
    const second = create();
    const { position } = await second.resume(first.commitPoint());
    const flush = { offset: messages.length, message: { kind: "flush" as const, label: "test" } };
    published.push(...(await second.advance([...messages.slice(position), flush])));
    expect([...textsOf(published)].sort()).toEqual(["a 180", "a 200", "a 290", "z 350"]);
  });
});

describe("a store that is lost while nothing is open", () => {
  it("takes no line for new that came before", async () => {
    const spec: WindowSpec = { kind: "session", gapMs: 100, maxLines: 100 };
    const lines = [0, 10].map((time, offset): KeyedLine => {
      const position = { topic: "raw", partition: 0, offset, index: 0 };
      return { position, time, origin: {}, text: `at ${time}`, masked: "m", keys: ["a"] };
    });
    const chunk = (streamTime: number, sent: KeyedLine[]): LinesMessage => ({
      kind: "chunk",
      source: { topic: "raw", incarnation: "1", partition: 0 },
      topics: [{ topic: "raw", partitions: 1 }],
      through: { offset: 1, index: 0 },
      streamTime,
      maskHash: "m",
      lines: sent,
    });
    const create = () => createPartitionWindower({ store: createMemoryStore() }, { pipeline: "p", spec });
    const first = create();
    await first.resume();
    const published = await first.advance([
      { offset: 0, message: chunk(10, lines) },
      { offset: 1, message: chunk(200, []) },
    ]);
    expect(published.length).toBe(1);
    const second = create();
    expect((await second.resume(first.commitPoint())).position).toBe(2);
    // An ingester died as well, and sends again what it had not committed.
    const again = [
      { offset: 2, message: chunk(10, lines.slice(1)) },
      { offset: 3, message: { kind: "flush" as const, label: "test" } },
    ];
    expect(await second.advance(again)).toEqual([]);
  });
});

/** A window that came twice must have been the same. */
function byId(windows: readonly Window[]): Map<string, Window> {
  const found = new Map<string, Window>();
  for (const window of windows) {
    expect(window).toEqual(found.get(window.id) ?? window);
    found.set(window.id, window);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe("a store that has less than was committed", () => {
  /** What a store holds after `older` messages, and what a windower commits after all but the last. */
  async function failedOver(older: number, messages: readonly { offset: number; message: LinesMessage }[]) {
    const options = { pipeline: "p", spec: { kind: "session", gapMs: 100, maxLines: 100 } as const };
    const store = createMemoryStore();
    const behind = createPartitionWindower({ store }, options);
    await behind.resume();
    await behind.advance(messages.slice(0, older));
    const ahead = createPartitionWindower({ store: createMemoryStore() }, options);
    await ahead.resume();
    await ahead.advance(messages.slice(0, -1));
    return { windower: createPartitionWindower({ store }, options), committed: ahead.commitPoint() };
  }
  const messages = messagesOf(createRandom(5), 200).map((message, offset) => ({ offset, message }));
  const log = (start: number) => async () => ({ start, end: messages.length });

  it("goes on where the store's state ends", async () => {
    const { windower, committed } = await failedOver(40, messages);
    expect((await windower.resume(committed, log(0))).position).toBe(40);
  });

  it("is rebuilt where the log has lost what follows that state", async () => {
    const { windower, committed } = await failedOver(40, messages);
    expect(committed.rebuildFrom).toBeGreaterThan(41);
    expect((await windower.resume(committed, log(41))).position).toBe(committed.rebuildFrom);
  });
});
