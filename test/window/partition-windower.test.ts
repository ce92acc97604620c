import { describe, expect, it } from "vitest";
import type { KeyedLine } from "../../src/ingest/line.ts";
import type { LinesMessage } from "../../src/ingest/lines-message.ts";
import { createRandom } from "../../src/simulate/random.ts";
import { bytesOf } from "../../src/window/entry.ts";
import { createMemoryStore } from "../../src/window/memory-store.ts";
import { createPartitionWindower, type OpenLimits } from "../../src/window/partition-windower.ts";
import type { TimeSpec, Window, WindowSpec } from "../../src/window/window.ts";

const session: WindowSpec = { kind: "session", gapMs: 100, maxLines: 1000 };

function line(key: string, time: number, offset: number, partition = 0): KeyedLine {
  const text = `${key} at ${time}`;
  const position = { topic: "raw", partition, offset, index: 0 };
  return { position, time, origin: { file: "a.log" }, fileOffset: offset, text, masked: text, keys: [key] };
}

function chunk(lines: KeyedLine[], partitions = 1, partition = 0): LinesMessage {
  const last = lines.at(-1);
  return {
    kind: "chunk",
    source: { topic: "raw", incarnation: "1", partition },
    topics: [{ topic: "raw", partitions }],
    through: { offset: last?.position.offset ?? -1, index: 0 },
    streamTime: Math.max(...lines.map(({ time }) => time)),
    maskHash: "m",
    lines,
  };
}

const flush: LinesMessage = { kind: "flush", label: "test" };

async function windowsOf(spec: WindowSpec, messages: LinesMessage[], limits?: OpenLimits): Promise<Window[]> {
  const windower = createPartitionWindower(
    { store: createMemoryStore() },
    { pipeline: "p", spec, ...(limits === undefined ? {} : { limits }) },
  );
  await windower.resume();
  return windower.advance(messages.map((message, offset) => ({ offset, message })));
}

const texts = (windows: Window[]) => windows.map(({ lines }) => lines.map(({ text }) => text));

const orderless: [string, WindowSpec][] = [
  ["sessions", session],
  ["time windows", timeWindows({ spanMs: 500, slideMs: 500 })],
  ["time windows that overlap", timeWindows({ spanMs: 500, slideMs: 200 })],
];

function timeWindows(of: { spanMs: number; slideMs: number }): TimeSpec {
  return { kind: "time", latenessMs: 0, maxLines: 1000, ...of };
}

describe("sliding windows", () => {
  it("end when their newest line is left behind, whichever came last", async () => {
    const spec: WindowSpec = { kind: "sliding", size: 3, stride: 2, idleMs: 30 };
    const at = (streamTime: number, ...lines: KeyedLine[]) => ({ ...chunk(lines), streamTime });
    const messages = [
      at(0, line("a", 100, 0)),
      at(0, line("a", 10, 1), line("b", 1, 2)),
      at(120, line("c", 120, 3)),
    ];
    expect(texts(await windowsOf(spec, messages))).toEqual([["b at 1"]]);
    // Lines that have left the window no longer hold it open.
    const slid = [at(0, line("a", 100, 0), line("a", 10, 1), line("a", 20, 2)), at(51)];
    expect((await windowsOf(spec, slid)).map(({ reason }) => reason)).toEqual(["full"]);
    expect((await windowsOf(spec, [...slid, at(51, line("a", 60, 3)), flush])).length).toBe(2);
  });

  const lines = Array.from({ length: 25 }, (_, place) => line("k", place, place));

  it("begin every stride lines and hold size lines", async () => {
    const windows = await windowsOf({ kind: "sliding", size: 10, stride: 5 }, [chunk(lines)]);
    expect(windows.map((window) => [window.start, window.end, window.reason])).toEqual([
      [0, 9, "full"],
      [5, 14, "full"],
      [10, 19, "full"],
      [15, 24, "full"],
    ]);
  });

  it("close a rest at the flush only where it holds lines of no earlier window", async () => {
    const spec: WindowSpec = { kind: "sliding", size: 10, stride: 5 };
    expect((await windowsOf(spec, [chunk(lines), flush])).length).toBe(4);
    const oneMore = await windowsOf(spec, [chunk([...lines, line("k", 25, 25)]), flush]);
    expect(oneMore.at(-1)).toMatchObject({ start: 20, end: 25, reason: "flush" });
  });

  it("keep keys apart", async () => {
    const mixed = lines.map((entry, place) => ({ ...entry, keys: [place % 2 ? "odd" : "even"] }));
    const windows = await windowsOf({ kind: "sliding", size: 12, stride: 12 }, [chunk(mixed)]);
    expect(windows.map(({ key }) => key)).toEqual(["even", "odd"]);
  });
});

describe("sessions", () => {
  it("end when stream time has passed their last line by more than the gap", async () => {
    const lines = [
      line("a", 0, 0),
      line("b", 50, 1),
      line("a", 100, 2),
      line("c", 151, 3),
      line("c", 202, 4),
    ];
    const windows = await windowsOf(session, [chunk(lines.slice(0, 4)), chunk(lines.slice(4))]);
    expect(windows.map(({ key, reason }) => [key, reason])).toEqual([
      ["b", "gap"],
      ["a", "gap"],
    ]);
  });

  it("wait for the slowest source, and for those that have not reported", async () => {
    const fast = [line("a", 0, 0), line("z", 1000, 1)];
    expect(await windowsOf(session, [chunk(fast, 2)])).toEqual([]);
    const slow = [line("y", 50, 0, 1)];
    expect(await windowsOf(session, [chunk(fast, 2), chunk(slow, 2, 1)])).toEqual([]);
    const later = [line("y", 500, 1, 1)];
    const windows = await windowsOf(session, [chunk(fast, 2), chunk(slow, 2, 1), chunk(later, 2, 1)]);
    expect(texts(windows)).toEqual([["a at 0"], ["y at 50"]]);
  });

  it("are joined by a line between them, and sorted before scoring", async () => {
    const lines = [line("a", 0, 0), line("a", 180, 1), line("a", 90, 2)];
    expect(texts(await windowsOf(session, [chunk(lines), flush]))).toEqual([
      ["a at 0", "a at 90", "a at 180"],
    ]);
  });

  it("do not lose a line that comes after its session closed", async () => {
    const messages = [chunk([line("a", 0, 0), line("b", 500, 1)]), chunk([line("a", 10, 2)]), flush];
    expect(
      texts(await windowsOf(session, messages))
        .flat()
        .sort(),
    ).toEqual(["a at 0", "a at 10", "b at 500"]);
  });

  it("close at the limit of lines", async () => {
    const lines = Array.from({ length: 5 }, (_, place) => line("a", place, place));
    const windows = await windowsOf({ ...session, maxLines: 2 }, [chunk(lines), flush]);
    expect(windows.map(({ lines: held, reason }) => [held.length, reason])).toEqual([
      [2, "limit"],
      [2, "limit"],
      [1, "flush"],
    ]);
  });

  it("close with the line that the end pattern matches, and go on in a new one", async () => {
    const ending: WindowSpec = { ...session, end: "at (20|21)$" };
    const lines = [10, 20, 30, 5, 21].map((time, place) => line("a", time, place));
    const windows = await windowsOf(ending, [chunk([line("b", 15, 0, 1)], 2, 1), chunk(lines, 2), flush]);
    expect(
      windows.map(({ key, reason, lines: held }) => [key, reason, held.map(({ time }) => time)]),
    ).toEqual([
      ["a", "end", [10, 20]],
      ["a", "end", [5, 21, 30]],
      ["b", "flush", [15]],
    ]);
  });
});

describe("time windows", () => {
  const tumbling = timeWindows({ spanMs: 100, slideMs: 100 });
  const shown = (windows: Window[]) =>
    windows.map(({ reason, lines }) => [reason, ...lines.map(({ time }) => time)]);

  it("begin at multiples of the slide and close when stream time has passed their end by the lateness", async () => {
    const messages = [130, 199, 200, 229].map((time, place) => chunk([line("a", time, place)]));
    expect(shown(await windowsOf({ ...tumbling, latenessMs: 30 }, messages))).toEqual([]);
    const passed = [...messages, chunk([line("b", 230, 4)])];
    expect(shown(await windowsOf({ ...tumbling, latenessMs: 30 }, passed))).toEqual([["time", 130, 199]]);
  });

  it("hold a line once in each that covers it, under ids of their own", async () => {
    const messages = [chunk([line("a", 10, 0), line("a", 60, 1)]), chunk([line("a", 170, 2)]), flush];
    const windows = await windowsOf(timeWindows({ spanMs: 100, slideMs: 50 }), messages);
    expect(shown(windows)).toEqual([
      ["time", 10],
      ["time", 10, 60],
      ["time", 60],
      ["flush", 170],
      ["flush", 170],
    ]);
    expect(new Set(windows.map(({ id }) => id)).size).toBe(windows.length);
  });

  it("take a late line in those that are open yet, or open the last of them again", async () => {
    const messages = [
      chunk([line("b", 140, 0)]),
      chunk([line("a", 90, 1), line("a", 20, 2), line("a", 130, 3)]),
      flush,
    ];
    const windows = await windowsOf(timeWindows({ spanMs: 100, slideMs: 50 }), messages);
    expect(shown(windows.filter(({ key }) => key === "a"))).toEqual([
      ["time", 20],
      ["flush", 90, 130],
      ["flush", 130],
    ]);
  });

  it("of a key close together at the limit of lines", async () => {
    const lines = [60, 70, 80, 140].map((time, place) => line("a", time, place));
    const windows = await windowsOf({ ...timeWindows({ spanMs: 100, slideMs: 50 }), maxLines: 3 }, [
      chunk(lines),
      flush,
    ]);
    expect(shown(windows)).toEqual([
      ["limit", 60, 70, 80],
      ["limit", 60, 70, 80],
      ["flush", 140],
      ["flush", 140],
    ]);
  });
});

describe("the same windows come out", () => {
  it.each(orderless)("%s, in whatever order sources arrive and however they are batched", async (_, spec) => {
    const random = createRandom(5);
    const sources = [0, 1, 2].map((partition) => {
      let time = 0;
      return Array.from({ length: 300 }, (_, offset) => {
        time += random.below(60);
        return line(`k${random.below(12)}`, time, offset, partition);
      });
    });
    const reference = await shuffled(spec, 1, sources);
    expect(reference.length).toBeGreaterThan(30);
    for (let seed = 2; seed < 12; seed++) expect(await shuffled(spec, seed, sources)).toEqual(reference);
  });
});

describe("a key's flood", () => {
  it.each<[string, WindowSpec]>([
    ["sliding windows", { kind: "sliding", size: 20, stride: 10 }],
    ["sessions", { ...session, maxLines: 20 }],
    ["time windows", { ...timeWindows({ spanMs: 100, slideMs: 100 }), maxLines: 20 }],
  ])("takes the room of one full window of its own, and none of its neighbours': %s", async (_, spec) => {
    const lines = Array.from({ length: 3000 }, (_, place) => {
      const isNeighbour = place % 200 === 0;
      return line(isNeighbour ? `n${(place / 200) % 5}` : "torrent", Math.floor(place / 40), place);
    });
    const neighbours = lines.filter(({ keys }) => keys[0] !== "torrent");
    const open = [...neighbours, ...lines.slice(1, 21)].map((one) => ({ ...one, line: one, key: "torrent" }));
    const limits: OpenLimits = {
      maxOpenWindows: 6,
      maxOpenBytes: open.reduce(
        (sum, one) => sum + bytesOf({ ...one, seq: 0, offset: 0, incarnation: "1" }),
        0,
      ),
    };
    const alone = await windowsOf(spec, [chunk(neighbours), flush]);
    const flooded = await windowsOf(spec, [chunk(lines), flush], limits);
    expect(flooded.filter(({ key }) => key !== "torrent")).toEqual(alone);
    expect(flooded.length).toBeGreaterThan(100);
  });
});

describe("early revisions", () => {
  const early = { everyLines: 2, maxLines: 6 };
  const started = async (spec: WindowSpec, store = createMemoryStore()) => {
    const windower = createPartitionWindower({ store }, { pipeline: "p", spec, early });
    await windower.resume();
    return windower;
  };
  /** Messages one by one: id, revision, reason, lines and former ids of what each gives. */
  async function revisions(spec: WindowSpec, messages: LinesMessage[]) {
    const windower = await started(spec);
    const found: Window[] = [];
    for (const [offset, message] of messages.entries())
      found.push(...(await windower.advance([{ offset, message }])));
    return found;
  }
  const each = (...lines: KeyedLine[]) => lines.map((one) => ({ ...chunk([one]), streamTime: 0 }));

  it.each<[string, WindowSpec, Window["reason"]]>([
    ["sliding windows", { kind: "sliding", size: 5, stride: 5 }, "full"],
    ["sessions", { kind: "session", gapMs: 100, maxLines: 5 }, "limit"],
    ["time windows", timeWindows({ spanMs: 500, slideMs: 500 }), "flush"],
  ])("of %s come every so many lines, and the last is above them", async (_, spec, reason) => {
    const lines = Array.from({ length: 5 }, (_, place) => line("k", place, place));
    const found = await revisions(spec, [...each(...lines), flush]);
    expect(found.map(({ revision, reason, lines }) => [revision, reason, lines.length])).toEqual([
      [1, "open", 2],
      [2, "open", 4],
      [6, reason, 5],
    ]);
    expect(new Set(found.map(({ id }) => id)).size).toBe(1);
    expect(found.flatMap(({ formerIds }) => formerIds)).toEqual([]);
  });

  it("are left out where the window closes with the same messages, and beyond what is scored", async () => {
    const lines = Array.from({ length: 9 }, (_, place) => line("k", place, place));
    const windower = await started(session);
    const all = await windower.advance([{ offset: 0, message: chunk(lines) }]);
    expect(all.map(({ revision }) => revision)).toEqual([3]);
    const closed = await windower.advance([{ offset: 1, message: flush }]);
    expect(closed.map(({ revision, reason }) => [revision, reason])).toEqual([[10, "flush"]]);
    const once = await (await started(session)).advance(
      [chunk(lines), flush].map((message, offset) => ({ offset, message })),
    );
    expect(once.map(({ reason }) => reason)).toEqual(["flush"]);
  });

  it.each<[string, WindowSpec]>([
    ["sessions", session],
    ["time windows", timeWindows({ spanMs: 500, slideMs: 500 })],
  ])("of %s whose first line comes late are named by the last, even after a restart", async (_, spec) => {
    const store = createMemoryStore();
    const before = await started(spec, store);
    const messages = each(line("k", 10, 0), line("k", 20, 1), line("k", 5, 2));
    const [raised] = await before.advance(
      messages.slice(0, 2).map((message, offset) => ({ offset, message })),
    );
    const after = await started(spec, store);
    const late = [messages[2], ...each(line("k", 7, 3))].map((message, place) => ({
      offset: 2 + place,
      message,
    }));
    const found = [...(await after.advance(late)), ...(await after.advance([{ offset: 4, message: flush }]))];
    expect(found.map(({ reason, formerIds }) => [reason, formerIds])).toEqual([
      ["open", [raised?.id]],
      ["flush", [raised?.id]],
    ]);
    expect(found[0]?.id).not.toBe(raised?.id);
  });
});

describe("lines masked for two bundles", () => {
  it("in one window say so, and those of each bundle alone say which", async () => {
    const of = (maskHash: string, lines: KeyedLine[], streamTime: number) => ({
      ...chunk(lines),
      maskHash,
      streamTime,
    });
    const windows = await windowsOf(session, [
      of("old", [line("a", 0, 0), line("b", 10, 1), line("c", 20, 2)], 20),
      // The new bundle's first chunk closes a with its progress alone.
      of("new", [], 115),
      of("new", [line("c", 60, 3), line("d", 150, 4)], 115),
      flush,
    ]);
    expect(windows.map(({ key, maskHash }) => [key, maskHash])).toEqual([
      ["a", "old"],
      ["b", "old"],
      ["c", ""],
      ["d", "new"],
    ]);
  });
});

describe("repeats", () => {
  const messages = [chunk([line("a", 0, 0), line("a", 10, 1)]), chunk([line("a", 20, 2)])];

  it("of the first hop are dropped line by line, whatever the new chunk boundaries", async () => {
    const again = chunk([line("a", 10, 1), line("a", 20, 2), line("a", 30, 3)]);
    expect(texts(await windowsOf(session, [...messages, again, flush]))).toEqual([
      ["a at 0", "a at 10", "a at 20", "a at 30"],
    ]);
  });

  it("of the second hop are dropped by offset", async () => {
    const spec: WindowSpec = { kind: "sliding", size: 3, stride: 3 };
    const windower = createPartitionWindower({ store: createMemoryStore() }, { pipeline: "p", spec });
    await windower.resume();
    const batch = messages.map((message, offset) => ({ offset, message }));
    expect((await windower.advance(batch)).length).toBe(1);
    expect(await windower.advance(batch)).toEqual([]);
  });
});

/** Takes random bites of the sources in turn, and returns the windows by id. */
async function shuffled(spec: WindowSpec, seed: number, sources: KeyedLine[][]): Promise<Window[]> {
  const random = createRandom(seed);
  const left = sources.map((lines) => [...lines]);
  const messages: LinesMessage[] = [];
  while (left.some((lines) => lines.length > 0)) {
    const partition = random.below(left.length);
    const bite = left[partition]?.splice(0, 1 + random.below(40)) ?? [];
    if (bite.length > 0) messages.push(chunk(bite, sources.length, partition));
  }
  const windows = (await windowsOf(spec, [...messages, flush])).map((window) => ({
    ...window,
    reason: "gap" as const,
  }));
  return windows.sort((a, b) => (a.id < b.id ? -1 : 1));
}
