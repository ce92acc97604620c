import { randomUUID } from "node:crypto";
import {
  type AnomalySummary,
  entryOverheadBytes,
  type IndexedAnomaly,
  type IndexLimits,
  indexLost,
  type StatedFeedback,
  type TopicIndex,
} from "../api/anomaly-index.ts";
import { boundsOf, fingerprintName, placeOfSaid, placesOfEntry } from "../api/index-entry.ts";
import { packJson, unpackJson } from "../packed-json.ts";
import type { Anomaly } from "../verdict/anomaly.ts";
import type { RedisClient } from "./client.ts";

/** Redis serves nobody else meanwhile. */
const forgottenAtOnce = 100;
const feedbackAtOnce = 1000;

/** The index of all pipelines in Redis, on one shard. @param name of the installation, unique in that Redis. */
export function createRedisIndex(
  redis: RedisClient,
  name: string,
  { retentionMs, maxBytes }: IndexLimits,
): TopicIndex {
  const key = (part: string) => `lg:v1:{${name}:index}:${part}`;
  const [state, summaries, documents, places] = [
    key("state"),
    key("summaries"),
    key("documents"),
    key("places"),
  ];
  const [ages, changes] = [key("ages"), key("changes")];
  const held = [state, summaries, documents, places, ages, changes];
  const [feedback, sayings, falseAlarms] = [key("feedback"), key("sayings"), key("false-alarms")];

  return {
    async incarnation() {
      const found = await redis.script(
        "index-open",
        [...held, feedback, sayings, falseAlarms],
        [randomUUID(), placesOfEntry],
      );
      return String(found);
    },
    async put(entries, incarnation) {
      const packed = await Promise.all(entries.map(({ document }) => packJson(document)));
      const outcomes = await Promise.all(
        entries.map((entry, at) =>
          redis.script("index-put", held, [
            ...[incarnation, entry.id, entry.rank, entry.at, entry.isOnlyNews ? 1 : 0, entryOverheadBytes],
            JSON.stringify(entry.summary),
            packed[at] ?? "",
            ...entry.places,
          ]),
        ),
      );
      if (outcomes.includes("lost")) throw indexLost();
    },
    async say(all, incarnation = "") {
      const outcomes = await Promise.all(
        all.map((one) =>
          redis.script(
            "index-say",
            [state, feedback, sayings, falseAlarms, changes],
            [incarnation, one.id, one.at, fingerprintName(one), placeOfSaid(one) ?? "-", JSON.stringify(one)],
          ),
        ),
      );
      if (outcomes.includes("lost")) throw indexLost();
    },
    async readTo(partition) {
      const offset = await redis.field(state, `read:${partition}`);
      return offset === undefined ? undefined : Number(offset);
    },
    async advance(partition, { from, to }, incarnation) {
      const outcome = await redis.script("index-advance", [state], [incarnation, partition, from ?? "", to]);
      if (outcome === "lost") throw indexLost();
    },
    async page(range, limit) {
      const found = await redis.script(
        "index-page",
        [places, summaries, feedback],
        [...boundsOf(range), limit],
      );
      return inThrees(found, 0).map(([place, summary, said]) => ({
        place: place.slice(range.name.length + 1),
        ...indexed(summary, said),
      }));
    },
    async get(id) {
      const [summary = "", said = ""] = (await redis.script(
        "index-get",
        [summaries, feedback],
        [id],
      )) as string[];
      const document = summary === "" ? undefined : await redis.field(documents, id);
      // Forgotten meanwhile.
      if (document === undefined) return undefined;
      return { ...indexed(summary, said), document: await unpackJson<Anomaly>(document) };
    },
    async changes(after, limit) {
      const found = (await redis.script(
        "index-changes",
        [state, changes, summaries, feedback],
        [after?.incarnation ?? "", after?.number ?? 0, limit],
      )) as string[];
      const [incarnation = "", number] = found;
      return {
        now: { incarnation, number: Number(number) },
        changed: inThrees(found, 2).map(([number, summary, said]) => ({
          number: Number(number),
          ...indexed(summary, said),
        })),
      };
    },
    async said(id) {
      const written = await redis.field(feedback, id);
      return written && feedbackIn(written.toString());
    },
    async falseAlarm(of) {
      const written = await redis.field(falseAlarms, fingerprintName(of));
      return written && feedbackIn(written.toString());
    },
    async falseAlarms() {
      const all = await redis.hash(falseAlarms, feedbackAtOnce);
      return [...all.values()].map((bytes) => feedbackIn(bytes.toString()));
    },
    async trim(now) {
      const args = [now - retentionMs, maxBytes, entryOverheadBytes, forgottenAtOnce];
      while ((await redis.script("index-trim", held, args)) === forgottenAtOnce);
    },
    async size() {
      const [anomalies = 0, bytes = 0] = (await redis.script(
        "index-size",
        [state, summaries],
        [],
      )) as number[];
      return { anomalies, bytes };
    },
  };
}

function inThrees(found: unknown, from: number): [string, string, string][] {
  const texts = found as string[];
  const threes: [string, string, string][] = [];
  for (let at = from; at + 2 < texts.length; at += 3)
    threes.push([texts[at] ?? "", texts[at + 1] ?? "", texts[at + 2] ?? ""]);
  return threes;
}

/** As `index-put.lua` and `index-say.lua` write them. */
function indexed(summary: string, said: string): IndexedAnomaly {
  return {
    summary: JSON.parse(summary.slice(summary.indexOf("\n") + 1)) as AnomalySummary,
    ...(said === "" ? {} : { feedback: feedbackIn(said) }),
  };
}

function feedbackIn(written: string): StatedFeedback {
  return JSON.parse(written.slice(written.indexOf("{"))) as StatedFeedback;
}
