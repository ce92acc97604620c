import type { Consumer, EachBatchPayload } from "kafkajs";
import { reasonOf } from "../errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { OwnedPartition } from "./partition-worker.ts";
import { type Committed, nameOf, type Place } from "./topics.ts";

export interface Owned extends Place {
  owned: OwnedPartition;
}

/** What a group's member commits of the partitions that it owns, and what stands committed of them. */
export interface Commits {
  /** What the broker had of a partition that is taken up. */
  found(place: Place, point: Committed): void;
  forget(place: Place): void;
  forgetAll(): void;
  /** How the newest batch commits; undefined after the connection was lost. */
  through(commitOnce: EachBatchPayload["commitOffsetsIfNecessary"] | undefined): void;
  /** One at a time; one that fails is made up for by the next. False where something is still to be committed. */
  commit(): Promise<boolean>;
  /** Whether something was done that is not committed. */
  isBehind(): boolean;
  /** When a commit last succeeded. */
  lastAt(): number;
}

/**
 * `consumer.commitOffsets` tries again by itself, and after a rejoin in the name of the new generation: what was read
 * in the old one would be committed over the commits of a partition's new owner. A batch's own commit is sent once,
 * in the name of the generation that the partitions belong to (both change in one step, at GROUP_JOIN), and the broker
 * refuses it if that has passed. It stays good until the connection is lost; before the first batch nothing is new
 * but the beginning of a partition that nobody has committed, which cannot take anything back.
 */
export function createCommits(
  deps: { consumer: Pick<Consumer, "commitOffsets">; logger: Logger },
  state: { owned: () => readonly Owned[]; generation: () => number },
): Commits {
  const { consumer, logger } = deps;
  const committed = new Map<string, string>();
  let committing: Promise<unknown> = Promise.resolve();
  let commitOnce: EachBatchPayload["commitOffsetsIfNecessary"] | undefined;
  let lastAt = Date.now();

  async function commitAll(): Promise<boolean> {
    const mine = state.generation();
    const due = state.owned().flatMap(({ owned: { worker }, ...place }) => {
      const point = worker.commitPoint();
      const known = committed.get(nameOf(place));
      return known === textOf(point) || (commitOnce === undefined && known !== undefined)
        ? []
        : [{ place, point, worker }];
    });
    if (due.length === 0) return true;
    const offsets = due.map(({ place, point: { offset, metadata } }) => ({
      ...place,
      offset: String(offset),
      metadata,
    }));
    try {
      if (commitOnce === undefined) await consumer.commitOffsets(offsets);
      else
        await commitOnce({
          topics: offsets.map(({ topic, ...partition }) => ({ topic, partitions: [partition] })),
        });
      if (mine === state.generation())
        for (const { place, point, worker } of due) {
          committed.set(nameOf(place), textOf(point));
          worker.committed?.(point);
        }
      lastAt = Date.now();
      return true;
    } catch (thrown) {
      logger.debug("A commit did not succeed; the next one will make up for it.", {
        error: reasonOf(thrown),
      });
      return false;
    }
  }

  return {
    found: (place, point) => void committed.set(nameOf(place), textOf(point)),
    forget: (place) => void committed.delete(nameOf(place)),
    forgetAll: () => committed.clear(),
    through(own) {
      commitOnce = own;
    },
    commit() {
      const done = committing.then(commitAll);
      committing = done;
      return done;
    },
    isBehind: () =>
      state
        .owned()
        .some(
          ({ owned, ...place }) =>
            (committed.get(nameOf(place)) ?? textOf(owned.begun)) !== textOf(owned.worker.commitPoint()),
        ),
    lastAt: () => lastAt,
  };
}

function textOf({ offset, metadata }: Committed): string {
  return `${offset} ${metadata}`;
}
