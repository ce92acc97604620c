import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { earliestTime } from "../../ingest/lines-message.ts";
import type { CommitPoint } from "../../window/partition-windower.ts";
import type { Repeats } from "../../window/store.ts";

/** Kafka's default of `offset.metadata.max.bytes`. */
const maxMetadataBytes = 4096;

/** What a commit on the lines topic says beside the offset. */
const metadataSchema = Type.Object({
  rebuildFrom: Type.Integer(),
  streamTime: Type.Integer(),
  specHash: Type.String(),
  /**
   * By the newest line that they came after: its offset and index, then how far each message is from the one before it,
   * the first from `rebuildFrom`. An ingester that died sends many messages again, all after the same line.
   */
  repeats: Type.Array(Type.Tuple([Type.Integer(), Type.Integer(), Type.Array(Type.Integer())])),
  /** By topic and incarnation: partition, offset and index of the newest line that was taken in. */
  sources: Type.Array(
    Type.Tuple([
      Type.String(),
      Type.String(),
      Type.Array(Type.Tuple([Type.Integer(), Type.Integer(), Type.Integer()])),
    ]),
  ),
});

type Metadata = Static<typeof metadataSchema>;

/**
 * As much as Kafka takes. Without the sources, a line that comes again after a rebuild, and none of its source since R, is
 * taken for new; where the repeats are too many to be said, a rebuild publishes all that it finds.
 */
export function metadataOf(point: CommitPoint): string {
  const { rebuildFrom, streamTime, specHash } = point;
  const repeats = packed(point.repeats, rebuildFrom);
  const sources = bySource(point.sources);
  const most: Metadata = { rebuildFrom, streamTime, specHash, repeats, sources };
  const bare: Metadata = { ...most, specHash: "", repeats: [] };
  const texts = [most, { ...most, sources: [] }, bare, { ...bare, sources: [] }].map((one) =>
    JSON.stringify(one),
  );
  return texts.find((text) => Buffer.byteLength(text) <= maxMetadataBytes) ?? "";
}

/** A commit that is not ours (an operator moved the group) rebuilds from itself. */
export function commitPointOf(
  committed: { offset: number; metadata: string } | undefined,
): CommitPoint | undefined {
  if (committed === undefined) return undefined;
  const { offset, metadata } = committed;
  const ours = parse(metadata);
  if (!Value.Check(metadataSchema, ours))
    return { offset, rebuildFrom: offset, streamTime: earliestTime, specHash: "", repeats: [], sources: [] };
  const repeats = unpacked(ours.repeats, ours.rebuildFrom);
  const sources = ours.sources.flatMap(([topic, incarnation, places]) =>
    places.map(([partition, at, index]) => ({ topic, incarnation, partition, offset: at, index })),
  );
  return { ...ours, offset, rebuildFrom: Math.min(ours.rebuildFrom, offset), repeats, sources };
}

function bySource(sources: CommitPoint["sources"]): Metadata["sources"] {
  const groups = new Map<string, Metadata["sources"][number]>();
  for (const { topic, incarnation, partition, offset, index } of sources) {
    const name = `${topic} ${incarnation}`;
    const group = groups.get(name) ?? [topic, incarnation, []];
    group[2].push([partition, offset, index]);
    groups.set(name, group);
  }
  return [...groups.values()];
}

function packed(repeats: readonly Repeats[], rebuildFrom: number): Metadata["repeats"] {
  const groups = new Map<string, { packed: Metadata["repeats"][number]; last: number }>();
  for (const { at, offset, index } of repeats) {
    const name = `${offset} ${index}`;
    const group = groups.get(name) ?? { packed: [offset, index, []], last: rebuildFrom };
    group.packed[2].push(at - group.last);
    group.last = at;
    groups.set(name, group);
  }
  return [...groups.values()].map((group) => group.packed);
}

function unpacked(groups: Metadata["repeats"], rebuildFrom: number): Repeats[] {
  return groups.flatMap(([offset, index, steps]) => {
    let at = rebuildFrom;
    return steps.map((step) => {
      at += step;
      return { at, offset, index };
    });
  });
}

function parse(metadata: string): unknown {
  try {
    return JSON.parse(metadata);
  } catch {
    return undefined;
  }
}
