import { describe, expect, it } from "vitest";
import { commitPointOf, metadataOf } from "../../src/pipeline/roles/windower-commit.ts";
import type { CommitPoint } from "../../src/window/partition-windower.ts";

const point: CommitPoint = {
  offset: 9_000_000_000,
  rebuildFrom: 8_000_000_000,
  streamTime: 1_700_000_000_000,
  specHash: "0123456789abcdef",
  repeats: [],
  sources: [],
};
const again = (metadata: string) => commitPointOf({ offset: point.offset, metadata });

describe("a commit on the lines topic", () => {
  it("says which messages repeated lines, hundreds of them from an ingester that died", () => {
    const repeats = Array.from({ length: 500 }, (_, place) => {
      // Eight raw partitions, whose messages take turns.
      const offset = 5_000_000_000 + (place % 8);
      return { at: point.rebuildFrom + 3 + 7 * place, offset, index: 2 };
    });
    const committed = { ...point, repeats };
    const metadata = metadataOf(committed);
    expect(metadata.length).toBeLessThan(4096);
    const found = again(metadata);
    expect(found).toEqual({ ...committed, repeats: expect.anything() });
    expect(found?.repeats.sort((a, b) => a.at - b.at)).toEqual(repeats);
  });

  it("that cannot hold them says that nothing is known of how windows were cut", () => {
    const repeats = Array.from({ length: 500 }, (_, place) => ({
      at: point.rebuildFrom + place,
      offset: 5_000_000_000 + place,
      index: 0,
    }));
    const metadata = metadataOf({ ...point, repeats });
    expect(metadata.length).toBeLessThan(4096);
    expect(again(metadata)).toEqual({ ...point, specHash: "" });
  });

  it("says how far each raw partition was taken in, unless there are too many of them", () => {
    const sourcesOf = (partitions: number) =>
      ["app-logs", "other"].flatMap((topic) =>
        Array.from({ length: partitions }, (_, partition) => ({
          topic,
          incarnation: "1",
          partition,
          offset: 5_000_000_000 + partition,
          index: 0,
        })),
      );
    const some = { ...point, sources: sourcesOf(80) };
    expect(again(metadataOf(some))).toEqual(some);
    const many = metadataOf({ ...point, sources: sourcesOf(300) });
    expect(many.length).toBeLessThan(4096);
    expect(again(many)).toEqual(point);
  });

  it("that is not ours rebuilds from itself", () => {
    for (const metadata of ["", "{", '{"rebuildFrom":1}'])
      expect(again(metadata)).toMatchObject({ rebuildFrom: point.offset, specHash: "", repeats: [] });
  });
});
