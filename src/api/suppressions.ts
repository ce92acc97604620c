import type { AnomalyIndex, AnomalySummary, IndexedAnomaly, StatedFeedback } from "./anomaly-index.ts";
import { anomaliesLike } from "./anomaly-search.ts";

/** `ended`: its time is over. `other-bundle`: another bundle judges by now, which may well be right where this was not. */
export const suppressionStates = ["active", "ended", "other-bundle"] as const;
export type SuppressionState = (typeof suppressionStates)[number];

/** A false alarm, and what nobody was alerted of because of it. */
export interface Suppression {
  said: StatedFeedback;
  state: SuppressionState;
  /** Windows, at least that many where `isMore`. */
  windows: number;
  isMore: boolean;
  newest?: IndexedAnomaly;
}

/** Of one fingerprint looked at. */
const mostCounted = 10_000;

/**
 * By fingerprint in its pipeline what was said last, where that is a false alarm: as the alerter has it
 * (src/redis/lua/feedback-apply.lua).
 */
async function falseAlarms(index: AnomalyIndex): Promise<StatedFeedback[]> {
  const last = new Map<string, StatedFeedback>();
  for (const said of await index.feedback()) {
    if (said.judgement === "undone") continue;
    const name = suppressedName(said);
    const before = last.get(name);
    if (before === undefined || said.at > before.at || (said.at === before.at && said.id > before.id))
      last.set(name, said);
  }
  return [...last.values()].filter(({ judgement }) => judgement === "false-alarm");
}

/** What false alarms keep quiet, or kept, the newest first. */
export async function suppressionsOf(
  index: AnomalyIndex,
  { now, isVisible }: { now: number; isVisible: (pipeline: string) => boolean },
): Promise<Suppression[]> {
  const said = (await falseAlarms(index))
    .filter(({ pipeline }) => isVisible(pipeline))
    .sort((a, b) => b.at - a.at);
  const models = createNewestModels(index);
  const suppressions: Suppression[] = [];
  for (const one of said)
    suppressions.push({
      said: one,
      state: stateOf(one, now, await models(one.pipeline)),
      ...(await suppressedBy(index, one)),
    });
  return suppressions;
}

/** By pipeline and fingerprint, those of which nobody is alerted now. */
export async function suppressedNow(index: AnomalyIndex, now: number): Promise<ReadonlySet<string>> {
  const models = createNewestModels(index);
  const names = new Set<string>();
  for (const said of await falseAlarms(index))
    if (stateOf(said, now, await models(said.pipeline)) === "active") names.add(suppressedName(said));
  return names;
}

export function suppressedName({ pipeline, fingerprint }: { pipeline: string; fingerprint: string }): string {
  return `${pipeline} ${fingerprint}`;
}

type Model = AnomalySummary["model"];

function stateOf(
  { until, model }: StatedFeedback,
  now: number,
  judging: Model | undefined,
): SuppressionState {
  if (until !== undefined && until <= now) return "ended";
  return judging === undefined || isSame(model, judging) ? "active" : "other-bundle";
}

/** Which bundle judged a pipeline's newest window. */
function createNewestModels(index: AnomalyIndex): (pipeline: string) => Promise<Model | undefined> {
  const models = new Map<string, Model | undefined>();
  return async (pipeline) => {
    if (!models.has(pipeline)) {
      const newest = await anomaliesLike(index, { pipeline, isVisible: () => true }).next();
      models.set(pipeline, newest.done === true ? undefined : newest.value.summary.model);
    }
    return models.get(pipeline);
  };
}

/** What its alert was asked of after it was said, and judged by the same bundle. */
async function suppressedBy(
  index: AnomalyIndex,
  { pipeline, fingerprint, at, until = Number.POSITIVE_INFINITY, model }: StatedFeedback,
): Promise<Pick<Suppression, "windows" | "isMore" | "newest">> {
  let [windows, lookedAt] = [0, 0];
  let newest: IndexedAnomaly | undefined;
  for await (const one of anomaliesLike(index, { fingerprint, isVisible: () => true })) {
    const { summary } = one;
    if (++lookedAt > mostCounted)
      return { windows, isMore: true, ...(newest === undefined ? {} : { newest }) };
    const detectedAt = Date.parse(summary.detected_at);
    if (summary.pipeline !== pipeline || summary.verdict !== "anomalous" || summary.stage === "moved")
      continue;
    if (detectedAt < at || detectedAt >= until || !isSame(summary.model, model)) continue;
    windows++;
    newest ??= one;
  }
  return { windows, isMore: false, ...(newest === undefined ? {} : { newest }) };
}

function isSame(model: Model, other: Model): boolean {
  return model.name === other.name && model.version === other.version;
}
