import type { Line } from "../ingest/line.ts";
import { compilePattern } from "../pattern.ts";
import { type Cut, type Cutter, isEarly } from "./cutter.ts";
import { createDeadlines } from "./deadlines.ts";
import type { Entry } from "./entry.ts";
import { inScoringOrder } from "./scoring-order.ts";
import type { CloseReason, EarlySpec, SessionSpec } from "./window.ts";

interface Session {
  /** Event times of the earliest and latest line. */
  from: number;
  to: number;
  entries: Entry[];
  /** In the order of scoring. */
  first: Entry;
  /** Lines that were so, until others came late. */
  formerFirst: Entry[];
}

/**
 * Sessions: lines of one key without a silence longer than the gap. Exact in whatever order the lines arrive, as long as
 * stream time has not passed them: a line may join two sessions into one. A session ends when stream time has passed its
 * last line by more than the gap, or at once with a line that the end pattern matches. A line that comes later still
 * opens a session of its own.
 */
export function createSessionCutter({ gapMs, maxLines, end }: SessionSpec, early?: EarlySpec): Cutter {
  const ending = end === undefined ? undefined : compileEnd(end);
  const open = new Map<string, Session[]>();
  const deadlines = createDeadlines();
  let count = 0;

  function keep(key: string, sessions: Session[]): void {
    if (sessions.length === 0) {
      open.delete(key);
      deadlines.delete(key);
      return;
    }
    open.set(key, sessions);
    deadlines.set(key, Math.min(...sessions.map(({ to }) => to)) + gapMs);
  }

  function cut(key: string, { entries, formerFirst }: Session, reason: CloseReason): Cut {
    entries.sort((a, b) => inScoringOrder(a.line, b.line));
    return { key, entries, reason, released: entries, formerFirst };
  }

  function cutEarly(key: string, { entries, formerFirst }: Session): Cut[] {
    if (!isEarly(entries.length, early)) return [];
    const sorted = entries.toSorted((a, b) => inScoringOrder(a.line, b.line));
    return [{ key, entries: sorted, reason: "open", released: [], formerFirst: [...formerFirst] }];
  }

  function reasonToClose({ entries }: Session, { text }: Line): CloseReason | undefined {
    if (ending?.matcher(text).find()) return "end";
    return entries.length >= maxLines ? "limit" : undefined;
  }

  const cutter: Cutter = {
    add(entry) {
      const { key, line } = entry;
      const joined: Session = {
        from: line.time,
        to: line.time,
        entries: [entry],
        first: entry,
        formerFirst: [],
      };
      const apart: Session[] = [];
      const sessions = open.get(key) ?? [];
      for (const session of sessions) {
        if (line.time > session.to + gapMs || line.time < session.from - gapMs) {
          apart.push(session);
          continue;
        }
        joined.from = Math.min(joined.from, session.from);
        joined.to = Math.max(joined.to, session.to);
        // The longer list takes the shorter in: one line at a time this is an append.
        const [longer, shorter] =
          session.entries.length >= joined.entries.length ? [session, joined] : [joined, session];
        for (const other of shorter.entries) longer.entries.push(other);
        joined.entries = longer.entries;
        const [earlier, later] =
          inScoringOrder(session.first.line, joined.first.line) < 0
            ? [session.first, joined.first]
            : [joined.first, session.first];
        // The line itself was never first alone: nothing was cut before it came.
        joined.formerFirst.push(...session.formerFirst, ...(later === entry ? [] : [later]));
        joined.first = earlier;
      }
      const reason = reasonToClose(joined, line);
      if (reason === undefined) apart.push(joined);
      count += apart.length - sessions.length;
      keep(key, apart);
      return reason === undefined ? cutEarly(key, joined) : [cut(key, joined, reason)];
    },
    advance(streamTime) {
      const cuts: Cut[] = [];
      for (const key of deadlines.due(streamTime)) {
        const sessions = open.get(key) ?? [];
        const ended = sessions.filter(({ to }) => to + gapMs < streamTime).sort((a, b) => a.from - b.from);
        count -= ended.length;
        for (const session of ended) cuts.push(cut(key, session, "gap"));
        keep(
          key,
          sessions.filter((session) => !ended.includes(session)),
        );
      }
      return cuts;
    },
    flush() {
      const cuts: Cut[] = [];
      for (const [key, sessions] of open) {
        for (const session of sessions.sort((a, b) => a.from - b.from)) cuts.push(cut(key, session, "flush"));
        deadlines.delete(key);
      }
      open.clear();
      count = 0;
      return cuts;
    },
    evict() {
      const key = deadlines.first();
      const sessions = key === undefined ? [] : (open.get(key) ?? []);
      const [oldest, ...others] = sessions.sort((a, b) => a.to - b.to);
      if (key === undefined || oldest === undefined) return [];
      count--;
      keep(key, others);
      return [cut(key, oldest, "evicted")];
    },
    restore(entries) {
      // What is open depends on the open lines alone, so taking them in again brings it back.
      for (const entry of entries) cutter.add(entry);
    },
    openWindows: () => count,
  };
  return cutter;
}

/** @throws LogGuardianError LG_WINDOW_END. */
export function compileEnd(end: string) {
  return compilePattern(end, "LG_WINDOW_END", `The pattern ${JSON.stringify(end)} that ends a session`);
}
