import { windowsPerCall } from "../classify/judge.ts";
import { windowKey } from "../classify/verdict-cache.ts";
import type { OpenModel } from "../pipeline/open-model.ts";
import type { LabelledWindow } from "./data/labelled-window.ts";

/** Masked lines in their order, however often they occur, with what the model says of them. */
export interface DistinctWindow {
  key: string;
  masked: string[];
  /** null: undecided, or not judged yet. */
  margin: number | null;
  score: number | null;
  /** Fewer than there are where the window exceeds the bundle's limit. */
  linesScored: number;
}

/** A labelled window where it stands in the data. */
export interface Occurrence extends Omit<LabelledWindow, "masked"> {
  window: DistinctWindow;
}

/** Occurrences of the same lines with the same label, as one: the unit of every figure. */
export interface Item {
  window: DistinctWindow;
  label: 0 | 1;
  /** How often it occurs. */
  weight: number;
  alerts?: string[];
}

export async function collect(
  windows: AsyncIterable<LabelledWindow>,
  bundleId: string,
  onProgress: (windows: number) => void,
): Promise<Occurrence[]> {
  const distinct = new Map<string, DistinctWindow>();
  const occurrences: Occurrence[] = [];
  for await (const { masked, ...labelled } of windows) {
    const key = windowKey(bundleId, masked);
    let window = distinct.get(key);
    if (window === undefined) {
      window = { key, masked, margin: null, score: null, linesScored: 0 };
      distinct.set(key, window);
    }
    occurrences.push({ ...labelled, window });
    onProgress(occurrences.length);
  }
  return occurrences;
}

/** Judges every distinct window once, through the same code as the stream. */
export async function judgeAll(
  model: Pick<OpenModel, "judge">,
  occurrences: readonly Occurrence[],
  onProgress: (judged: number, all: number) => void,
): Promise<void> {
  const distinct = [...new Set(occurrences.map(({ window }) => window))];
  for (let next = 0; next < distinct.length; next += windowsPerCall) {
    const batch = distinct.slice(next, next + windowsPerCall);
    const judgements = await model.judge.judge(batch);
    for (const [place, { margin, score, linesScored }] of judgements.entries())
      Object.assign(batch[place] ?? {}, { margin, score, linesScored });
    onProgress(next + batch.length, distinct.length);
  }
}

/** Items in the order in which they first occur; of a group the window with the highest margin stands for it. */
export function itemsOf(occurrences: readonly Occurrence[]): Item[] {
  const items = new Map<string, Item>();
  for (const { window, label, count, alerts, group } of occurrences) {
    const key = `${label}${group === undefined ? window.key : ` ${group}`}`;
    const item = items.get(key);
    if (item === undefined) {
      items.set(key, { window, label, weight: count, ...(alerts === undefined ? {} : { alerts }) });
    } else if (group === undefined) item.weight += count;
    else if (rank(window) > rank(item.window)) item.window = window;
  }
  return [...items.values()];
}

/** What windows are ordered by. One that the model could not judge is never flagged, whatever the threshold. */
export function rank({ margin }: Pick<DistinctWindow, "margin">): number {
  return margin ?? Number.NEGATIVE_INFINITY;
}
