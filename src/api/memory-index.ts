import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { packJson, unpackJson } from "../packed-json.ts";
import type { Anomaly } from "../verdict/anomaly.ts";
import { holdsAgainst } from "../verdict/feedback.ts";
import {
  type AnomalyIndex,
  entryOverheadBytes,
  type IndexEntry,
  type IndexLimits,
  indexLost,
  type StatedFeedback,
} from "./anomaly-index.ts";
import { boundsOf, fingerprintName, padded, placeOfSaid } from "./index-entry.ts";
import { createSortedTexts } from "./sorted-texts.ts";

interface Held {
  entry: Omit<IndexEntry, "document">;
  document: Buffer;
  number: number;
  bytes: number;
}

/** The index of the embedded form: it lives and dies with its process. */
export function createMemoryIndex({ retentionMs, maxBytes }: IndexLimits): AnomalyIndex {
  const held = new Map<string, Held>();
  const said = new Map<string, StatedFeedback>();
  const sayings = createSortedTexts();
  /** By name of the fingerprint. */
  const falseAlarms = new Map<string, StatedFeedback>();
  const places = createSortedTexts();
  /** By when they were published, and by when they changed. */
  const ages = createSortedTexts();
  const changes = createSortedTexts();
  const mine = randomUUID();
  let number = 0;
  let bytes = 0;

  const ageOf = ({ at, id }: Held["entry"]) => `${padded(at)}:${id}`;

  function change(one: Held): void {
    changes.remove(`${padded(one.number)}:${one.entry.id}`);
    one.number = ++number;
    changes.add(`${padded(one.number)}:${one.entry.id}`);
  }

  function forget(id: string): void {
    const one = held.get(id);
    if (one === undefined) return;
    held.delete(id);
    for (const place of one.entry.places) places.remove(place);
    ages.remove(ageOf(one.entry));
    changes.remove(`${padded(one.number)}:${id}`);
    bytes -= one.bytes;
  }

  /** Whether what was said last of a fingerprint is a false alarm. */
  function weigh(name: string): void {
    const [last = ""] = sayings.range(...boundsOf({ name }), 1, { fromEnd: true });
    const one = said.get(idOf(last));
    if (one?.judgement === "false-alarm") falseAlarms.set(name, one);
    else falseAlarms.delete(name);
  }

  function shown(id: string) {
    const one = held.get(id);
    if (one === undefined) return undefined;
    const feedback = said.get(id);
    const { summary } = one.entry;
    return { summary, number: one.number, ...(feedback === undefined ? {} : { feedback }) };
  }

  function assertMine(incarnation: string): void {
    if (incarnation !== mine) throw indexLost();
  }

  return {
    incarnation: async () => mine,
    async put(entries, incarnation) {
      assertMine(incarnation);
      const packed = await Promise.all(entries.map(({ document }) => packJson(document)));
      for (const [place, { document: _, ...entry }] of entries.entries()) {
        const before = held.get(entry.id);
        if (before === undefined ? entry.isOnlyNews : !isNewer(entry, before.entry)) continue;
        forget(entry.id);
        const document = packed[place] ?? Buffer.alloc(0);
        const size = JSON.stringify(entry.summary).length + document.length + entryOverheadBytes;
        const one: Held = { entry, document, number: 0, bytes: size };
        held.set(entry.id, one);
        for (const place of entry.places) places.add(place);
        ages.add(ageOf(entry));
        change(one);
        bytes += size;
      }
    },
    async say(feedback, incarnation = mine) {
      assertMine(incarnation);
      for (const one of feedback) {
        const before = said.get(one.id);
        if (!holdsAgainst(one, before)) continue;
        said.set(one.id, one);
        const [former, place] = [before && placeOfSaid(before), placeOfSaid(one)];
        if (former !== undefined) sayings.remove(former);
        if (place !== undefined) sayings.add(place);
        for (const about of before === undefined ? [one] : [before, one]) weigh(fingerprintName(about));
        const about = held.get(one.id);
        if (about !== undefined) change(about);
      }
    },
    async page(range, limit) {
      const [from, to] = boundsOf(range);
      return places.range(from, to, limit, { fromEnd: true }).flatMap((place) => {
        const found = shown(idOf(place));
        return found === undefined ? [] : [{ place: place.slice(range.name.length + 1), ...found }];
      });
    },
    async get(id) {
      const [found, one] = [shown(id), held.get(id)];
      if (found === undefined || one === undefined) return undefined;
      return { ...found, document: await unpackJson<Anomaly>(one.document) };
    },
    async changes(after, limit) {
      const now = { incarnation: mine, number };
      if (after?.incarnation !== mine) return { now, changed: [] };
      const changed = changes.range(padded(after.number + 1), ":", limit);
      return { now, changed: changed.flatMap((place) => shown(idOf(place)) ?? []) };
    },
    said: async (id) => said.get(id),
    falseAlarm: async (of) => falseAlarms.get(fingerprintName(of)),
    falseAlarms: async () => [...falseAlarms.values()],
    async trim(now) {
      for (const age of ages.range("", padded(now - retentionMs), held.size)) forget(idOf(age));
      while (bytes > maxBytes) {
        const [oldest] = ages.range("", ":", 1);
        if (oldest === undefined) break;
        forget(idOf(oldest));
      }
    },
    size: async () => ({ anomalies: held.size, bytes }),
  };
}

/** What a place, an age or a change is of. */
function idOf(text: string): string {
  return text.slice(text.lastIndexOf(":") + 1);
}

/** By its rank, or judged anew since, by another model or otherwise. */
function isNewer(one: Held["entry"], before: Held["entry"]): boolean {
  if (one.rank !== before.rank) return one.rank > before.rank;
  return one.at >= before.at && !isDeepStrictEqual(judgedIn(one), judgedIn(before));
}

function judgedIn({ summary: { model, verdict, score } }: Held["entry"]) {
  return { model, verdict, score };
}
