import type { AnomalyIndex, AnomalySummary, IndexedAnomaly, StatedFeedback } from "./anomaly-index.ts";
import { anomaliesLike } from "./anomaly-search.ts";
import { fingerprintName, placeName } from "./index-entry.ts";

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
/** False alarms shown, and how many are counted for at once. */
export const mostShown = 500;
const countedAtOnce = 20;

/** Which bundle judges a pipeline by the configuration that was read then. */
export interface ConfiguredBundles {
  /** Milliseconds. */
  readAt: number;
  of: ReadonlyMap<string, Model>;
}

/** What false alarms keep quiet, or kept: what is in force first, then the newest. */
export async function suppressionsOf(
  index: AnomalyIndex,
  {
    now,
    isVisible,
    bundles,
  }: { now: number; isVisible: (pipeline: string) => boolean; bundles: ConfiguredBundles },
): Promise<{ suppressions: Suppression[]; isPartial: boolean }> {
  const models = createJudging(index, bundles);
  const visible = (await index.falseAlarms()).filter(({ pipeline }) => isVisible(pipeline));
  const all: { said: StatedFeedback; state: SuppressionState }[] = [];
  for (const said of visible) all.push({ said, state: stateOf(said, now, await models(said.pipeline)) });
  const isOver = ({ state }: { state: SuppressionState }) => Number(state !== "active");
  all.sort((a, b) => isOver(a) - isOver(b) || b.said.at - a.said.at);
  const shown = all.slice(0, mostShown);
  const suppressions: Suppression[] = [];
  for (let from = 0; from < shown.length; from += countedAtOnce)
    suppressions.push(
      ...(await Promise.all(
        shown
          .slice(from, from + countedAtOnce)
          .map(async (one) => ({ ...one, ...(await suppressedBy(index, one.said)) })),
      )),
    );
  return { suppressions, isPartial: all.length > mostShown };
}

/** By name of the fingerprint, those of which nobody is alerted now. */
export async function suppressedNow(
  index: AnomalyIndex,
  now: number,
  bundles: ConfiguredBundles,
): Promise<ReadonlySet<string>> {
  const models = createJudging(index, bundles);
  const names = new Set<string>();
  for (const said of await index.falseAlarms())
    if (stateOf(said, now, await models(said.pipeline)) === "active") names.add(fingerprintName(said));
  return names;
}

/** Whether nobody is alerted of it now. */
export async function isSuppressed(
  index: AnomalyIndex,
  { pipeline, fingerprint }: Pick<AnomalySummary, "pipeline" | "fingerprint">,
  now: number,
  bundles: ConfiguredBundles,
): Promise<boolean> {
  const said = fingerprint === null ? undefined : await index.falseAlarm({ pipeline, fingerprint });
  if (said === undefined) return false;
  return stateOf(said, now, await createJudging(index, bundles)(pipeline)) === "active";
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

/** Which bundle judges a pipeline: that of its newest window, unless the configuration was read since. */
function createJudging(
  index: AnomalyIndex,
  { readAt, of }: ConfiguredBundles,
): (pipeline: string) => Promise<Model | undefined> {
  const models = new Map<string, Model | undefined>();
  return async (pipeline) => {
    if (!models.has(pipeline)) {
      const [newest] = await index.page({ name: placeName.pipeline(pipeline) }, 1);
      const isSince = newest !== undefined && Date.parse(newest.summary.detected_at) >= readAt;
      models.set(pipeline, isSince ? newest.summary.model : (of.get(pipeline) ?? newest?.summary.model));
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
