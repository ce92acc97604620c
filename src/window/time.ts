import { type Cut, type Cutter, isEarly } from "./cutter.ts";
import { createDeadlines } from "./deadlines.ts";
import type { Entry } from "./entry.ts";
import { inScoringOrder } from "./scoring-order.ts";
import type { CloseReason, EarlySpec, TimeSpec } from "./window.ts";

/** Windows that one line may stand in: each is judged, and costs as much. */
const mostWindowsOfLine = 100;

/** What is wrong with span and slide. */
export function problemOfTime({ spanMs, slideMs }: Pick<TimeSpec, "spanMs" | "slideMs">): string | undefined {
  if (slideMs <= 0) return "must be longer than 0";
  if (slideMs > spanMs) return "must not exceed the span: lines would be left out";
  return spanMs > mostWindowsOfLine * slideMs
    ? `must be at least span/${mostWindowsOfLine}: a line would stand in more windows than that`
    : undefined;
}

interface OpenWindow {
  entries: Entry[];
  /** In the order of scoring. */
  first?: Entry;
  /** Lines that were so, until others came late. */
  formerFirst: Entry[];
}

const createOpen = (): OpenWindow => ({ entries: [], formerFirst: [] });

/**
 * Windows of `spanMs` of event time, one beginning at every multiple of `slideMs`. One closes when stream time has
 * passed its end by `latenessMs`. A line that comes later goes to those of its windows that are open yet; where none is,
 * it opens the last of them again, which closes as soon as stream time is reported.
 *
 * Which windows are open is a function of the open lines and stream time: a key that holds too much closes all its
 * windows at once.
 */
export function createTimeCutter(
  { spanMs, slideMs, latenessMs, maxLines }: TimeSpec,
  early?: EarlySpec,
): Cutter {
  /** By key, then by where they begin. */
  const open = new Map<string, Map<number, OpenWindow>>();
  /** By key, where its oldest window begins. */
  const oldest = new Map<string, number>();
  /** The last millisecond of stream time at which each key's oldest window is open. */
  const deadlines = createDeadlines();
  let reached = Number.NEGATIVE_INFINITY;
  let count = 0;

  const lastBeginning = ({ line }: Entry) => Math.floor(line.time / slideMs) * slideMs;
  const openUntil = (begin: number) => begin + spanMs + latenessMs - 1;

  /** Closes windows of a key; a line is needed no more when the last of its windows has closed. */
  function close(key: string, begins: number[], reason: CloseReason): Cut[] {
    const windows = open.get(key);
    if (windows === undefined) return [];
    const cuts = begins
      .sort((a, b) => a - b)
      .map((begin): Cut => {
        const { entries, formerFirst } = windows.get(begin) ?? createOpen();
        windows.delete(begin);
        entries.sort((a, b) => inScoringOrder(a.line, b.line));
        const released = entries.filter((one) => lastBeginning(one) === begin);
        return { key, entries, reason, released, begin, formerFirst };
      });
    count -= cuts.length;
    if (windows.size === 0) {
      open.delete(key);
      oldest.delete(key);
      deadlines.delete(key);
    } else {
      let first = Number.POSITIVE_INFINITY;
      for (const begin of windows.keys()) first = Math.min(first, begin);
      oldest.set(key, first);
      deadlines.set(key, openUntil(first));
    }
    return cuts;
  }

  function cutEarly(key: string, begin: number, window: OpenWindow): Cut[] {
    if (!isEarly(window.entries.length, early)) return [];
    const entries = window.entries.toSorted((a, b) => inScoringOrder(a.line, b.line));
    return [{ key, entries, reason: "open", released: [], begin, formerFirst: [...window.formerFirst] }];
  }

  const closeAll = (key: string, reason: CloseReason) =>
    close(key, [...(open.get(key)?.keys() ?? [])], reason);

  const cutter: Cutter = {
    add(entry) {
      const { key, line } = entry;
      const windows = open.get(key) ?? new Map<number, OpenWindow>();
      open.set(key, windows);
      const last = lastBeginning(entry);
      let isFull = false;
      const cuts: Cut[] = [];
      let first = oldest.get(key) ?? last;
      for (let begin = last; begin > line.time - spanMs; begin -= slideMs) {
        if (begin !== last && openUntil(begin) < reached) break;
        first = Math.min(first, begin);
        const window = windows.get(begin) ?? createOpen();
        window.entries.push(entry);
        if (window.first === undefined) window.first = entry;
        else if (inScoringOrder(entry.line, window.first.line) < 0) {
          window.formerFirst.push(window.first);
          window.first = entry;
        }
        if (window.entries.length === 1) {
          windows.set(begin, window);
          count++;
        }
        isFull ||= window.entries.length >= maxLines;
        cuts.push(...cutEarly(key, begin, window));
      }
      oldest.set(key, first);
      deadlines.set(key, openUntil(first));
      return isFull ? closeAll(key, "limit") : cuts;
    },
    advance(streamTime) {
      reached = streamTime;
      return deadlines.due(streamTime).flatMap((key) => {
        const begins = [...(open.get(key)?.keys() ?? [])];
        return close(
          key,
          begins.filter((begin) => openUntil(begin) < streamTime),
          "time",
        );
      });
    },
    flush: () => [...open.keys()].flatMap((key) => closeAll(key, "flush")),
    evict() {
      const key = deadlines.first();
      return key === undefined ? [] : closeAll(key, "evicted");
    },
    restore(entries, { streamTime }) {
      cutter.advance(streamTime);
      for (const entry of entries) cutter.add(entry);
    },
    openWindows: () => count,
  };
  return cutter;
}
