import { createHash } from "node:crypto";
import { shortened } from "../cut-to-fit.ts";
import { originKey } from "../ingest/keys.ts";
import type { Anomaly } from "../verdict/anomaly.ts";
import { heaviestPublished } from "../verdict/fingerprint.ts";
import type { AnomalySummary, IndexEntry, PlaceRange, StatedFeedback } from "./anomaly-index.ts";

const shownLines = 3;
const shownCharacters = 300;
/** Final revisions are above all early ones. */
const finalRank = 2 ** 40;
const digits = 15;

/** Whether anybody who looks for anomalies wants to hear of it. */
export function isOfInterest({ logguardian: { verdict, early } }: Anomaly): boolean {
  return verdict !== "normal" || early !== undefined;
}

/** @param at when it was published, milliseconds. */
export function entryOf(anomaly: Anomaly, at: number): IndexEntry {
  const { event, logguardian: ours } = anomaly;
  const summary = summaryOf(anomaly, at);
  const place = placeOf(Date.parse(event.end), event.id);
  return {
    id: event.id,
    rank: (ours.early === "raised" ? 0 : finalRank) + ours.revision,
    at,
    isOnlyNews: !isOfInterest(anomaly),
    places: [
      everything,
      placeName.pipeline(summary.pipeline),
      placeName.fingerprint(summary.fingerprint ?? "none"),
      placeName.origin(summary.origin),
    ].map((name) => `${name}:${place}`),
    summary,
    document: anomaly,
  };
}

/** How many places an entry has. */
export const placesOfEntry = 4;
/** Names under which entries stand in the order of time. */
export const everything = "t";
export const placeName = {
  pipeline: (name: string) => `p:${plain(name)}`,
  fingerprint: (name: string) => `f:${plain(name)}`,
  origin: (name: string) => `o:${plain(name)}`,
};

/** Behind its name: sorts by time. */
export function placeOf(time: number, id: string): string {
  return `${padded(time)}:${id}`;
}

/** Of a fingerprint in its pipeline. */
export function fingerprintName({
  pipeline,
  fingerprint,
}: Pick<StatedFeedback, "pipeline" | "fingerprint">): string {
  return `${plain(pipeline)}/${plain(fingerprint)}`;
}

/** Where what was said of a fingerprint stands, in the order that it was said in; nowhere where it was taken back. */
export function placeOfSaid(said: StatedFeedback): string | undefined {
  return said.judgement === "undone" ? undefined : `${fingerprintName(said)}:${placeOf(said.at, said.id)}`;
}

export function padded(number: number): string {
  return String(Math.max(0, number)).padStart(digits, "0");
}

/** From the first on and before the second. A digit is below a colon. */
export function boundsOf({ name, from = 0, to, after }: PlaceRange): [string, string] {
  const end = after ?? (to === undefined ? ":" : padded(to + 1));
  return [`${name}:${padded(from)}`, `${name}:${end}`];
}

/** Names are somebody else's text: in a place stands no space and no colon of it. */
function plain(name: string): string {
  if (/^[\w.-]{1,64}$/.test(name)) return name;
  return `#${createHash("sha256").update(name).digest("hex").slice(0, 24)}`;
}

function summaryOf({ event, logguardian: ours }: Anomaly, at: number): AnomalySummary {
  const { lines, model } = ours;
  const heaviest = heaviestPublished(lines);
  return {
    id: event.id,
    pipeline: ours.pipeline,
    verdict: ours.verdict,
    ...(ours.reason === undefined ? {} : { reason: ours.reason }),
    stage: ours.early ?? null,
    ...(ours.movedTo === undefined ? {} : { moved_to: ours.movedTo }),
    ...(ours.replay === undefined ? {} : { replay: ours.replay }),
    revision: ours.revision,
    start: event.start,
    end: event.end,
    detected_at: new Date(at).toISOString(),
    origin: originKey(lines[heaviest[0] ?? 0] ?? {}),
    key: ours.key,
    score: ours.score,
    threshold: ours.threshold,
    novelty: ours.novelty ?? null,
    fingerprint: ours.fingerprint ?? null,
    model: { name: model.name, version: model.version },
    lines: ours.window.lines,
    heaviest: heaviest.slice(0, shownLines).map((place) => {
      const { text = "", masked = "", weight = 0 } = lines[place] ?? {};
      return { text: shortened(text, shownCharacters), masked: shortened(masked, shownCharacters), weight };
    }),
  };
}
