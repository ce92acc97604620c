import type { VerdictName } from "../classify/judgement.ts";
import { encodeToFit } from "../cut-to-fit.ts";
import type { AnomalyLine } from "./anomaly.ts";

/** A model that judged, and from which score on it calls a window anomalous. */
export interface ShadowModel {
  name: string;
  version: string;
  /** The bundle's: sha256 of its manifest. */
  id: string;
  threshold: number;
}

/** The bundle that counts, and the one that is to take over. */
export interface ShadowPair {
  live: ShadowModel;
  next: ShadowModel;
}

/** What one of the two says of a window. */
export interface Said {
  verdict: VerdictName;
  score: number | null;
  margin: number | null;
  /** Why it is undecided. */
  reason?: string;
}

/** Windows by verdict of the live bundle, then of the next. */
export type ShadowConfusion = Record<VerdictName, Record<VerdictName, number>>;

/** A window on which the two disagree. */
export interface ShadowDifference {
  kind: "difference";
  pipeline: string;
  models: ShadowPair;
  /** The window's, which is that of the live verdict. */
  id: string;
  key: string;
  /** Event times of its first and last line. */
  start: string;
  end: string;
  live: Said;
  next: Said;
  /** Weights are those of the bundle that calls it anomalous. */
  lines: Pick<AnomalyLine, "text" | "masked" | "weight">[];
}

/** What a detector has compared since its last such message: windows, whether they agree or not. */
export interface ShadowCounts {
  kind: "counts";
  pipeline: string;
  models: ShadowPair;
  /** Of the clock. */
  from: string;
  to: string;
  confusion: ShadowConfusion;
  /** Of windows that both could judge: how far apart the scores are. Margins of two models have two scales. */
  scoreDifference: { sum: number; max: number; windows: number };
  /** Windows that the next bundle did not get to judge. */
  leftOut: number;
}

export type ShadowMessage = ShadowDifference | ShadowCounts;

/** What stays of the lines of a difference is enough to see what it is about. */
const maxBytes = 100_000;

/** As JSON, as the shadow topic holds it. */
export function encodeShadow(message: ShadowMessage): Buffer {
  const lines = message.kind === "difference" ? message.lines : [];
  return encodeToFit(lines, [], () => Buffer.from(JSON.stringify(message)), maxBytes);
}

/** undefined for what is no such message. */
export function parseShadow(value: Buffer | null): ShadowMessage | undefined {
  try {
    const content = JSON.parse(value?.toString("utf8") ?? "");
    return content?.kind === "difference" || content?.kind === "counts" ? content : undefined;
  } catch {
    return undefined;
  }
}

export function noConfusion(): ShadowConfusion {
  const none = () => ({ normal: 0, anomalous: 0, undecided: 0 });
  return { normal: none(), anomalous: none(), undecided: none() };
}
