import type { VerdictName } from "../classify/judgement.ts";
import type { AnomalyIndex, IndexedAnomaly, Placed } from "./anomaly-index.ts";
import { everything, placeName, placeOf } from "./index-entry.ts";

export interface AnomalyQuery {
  /** Of a window's end, milliseconds, both inclusive. */
  from?: number;
  to?: number;
  pipeline?: string;
  fingerprint?: string;
  origin?: string;
  /** Not given: anomalous and undecided. */
  verdict?: VerdictName;
  feedback?: "confirmed" | "false-alarm" | "none";
  /** Whether the caller may see a pipeline's. */
  isVisible: (pipeline: string) => boolean;
}

/** Looked at for one page: a rare one is found in several steps. */
const mostLookedAt = 10_000;
const atOnce = 500;

/** From the newest backwards, by the rarest of the names that are asked for; the rest is sifted out. */
export async function* anomaliesLike(
  index: AnomalyIndex,
  query: AnomalyQuery,
  after?: string,
): AsyncGenerator<Placed> {
  const { from, to } = query;
  const range = {
    name: nameFor(query),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
  let behind = after;
  for (;;) {
    const page = await index.page({ ...range, ...(behind === undefined ? {} : { after: behind }) }, atOnce);
    yield* page;
    behind = page.at(-1)?.place;
    if (behind === undefined || page.length < atOnce) return;
  }
}

/** One page, and where the next one goes on; null where there is no more. */
export async function searchAnomalies(
  index: AnomalyIndex,
  query: AnomalyQuery,
  { after, limit, most = mostLookedAt }: { after?: string | undefined; limit: number; most?: number },
): Promise<{ found: Placed[]; next: string | null }> {
  const found: Placed[] = [];
  let lookedAt = 0;
  let [last, reached] = [after, after];
  /** Where nothing was got on with, the true place: else it would be asked for for ever. */
  const next = () => (last === after ? reached : last) ?? null;
  for await (const one of anomaliesLike(index, query, after)) {
    const isVisible = query.isVisible(one.summary.pipeline);
    if (lookedAt === most || (found.length === limit && isVisible)) return { found, next: next() };
    lookedAt++;
    reached = one.place;
    last = isVisible ? one.place : behindOthers(one.place, last);
    if (isWanted(one, query)) found.push(one);
  }
  return { found, next: null };
}

/** A place that tells no id of what the caller may not see: the last that it may, of the same time, else that time's beginning. */
function behindOthers(place: string, last: string | undefined): string {
  const [time = ""] = place.split(":");
  return last?.startsWith(`${time}:`) ? last : placeOf(Number(time), "f".repeat(32));
}

export function isWanted({ summary, feedback }: IndexedAnomaly, query: AnomalyQuery): boolean {
  const { pipeline, fingerprint, origin, verdict } = query;
  // Its lines stand in another window, whose verdict tells of them.
  if (summary.stage === "moved" || !query.isVisible(summary.pipeline)) return false;
  if (verdict === undefined ? summary.verdict === "normal" : summary.verdict !== verdict) return false;
  if (pipeline !== undefined && summary.pipeline !== pipeline) return false;
  if (fingerprint !== undefined && summary.fingerprint !== fingerprint) return false;
  if (origin !== undefined && summary.origin !== origin) return false;
  const said = feedback === undefined || feedback.judgement === "undone" ? "none" : feedback.judgement;
  return query.feedback === undefined || query.feedback === said;
}

function nameFor({ fingerprint, origin, pipeline }: AnomalyQuery): string {
  if (fingerprint !== undefined) return placeName.fingerprint(fingerprint);
  if (origin !== undefined) return placeName.origin(origin);
  return pipeline === undefined ? everything : placeName.pipeline(pipeline);
}
