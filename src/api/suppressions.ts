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

/** What false alarms keep quiet, or kept, the newest first. */
export async function suppressionsOf(
  index: AnomalyIndex,
  { now, isVisible }: { now: number; isVisible: (pipeline: string) => boolean },
): Promise<Suppression[]> {
  const said = (await index.falseAlarms())
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

/** By name of the fingerprint, those of which nobody is alerted now. */
export async function suppressedNow(index: AnomalyIndex, now: number): Promise<ReadonlySet<string>> {
  const models = createNewestModels(index);
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
): Promise<boolean> {
  const said = fingerprint === null ? undefined : await index.falseAlarm({ pipeline, fingerprint });
  if (said === undefined) return false;
  return stateOf(said, now, await createNewestModels(index)(pipeline)) === "active";
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
      const [newest] = await index.page({ name: placeName.pipeline(pipeline) }, 1);
      models.set(pipeline, newest?.summary.model);
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
