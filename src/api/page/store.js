/** Anomalies that the page holds, the newest first, as the filter wants them. */
import { sinceOf } from "./address.js";

/** The newest, of one question: more than a person looks through, and what a browser draws at once. */
export const mostHeld = 10_000;
const pageSize = 1000;

/** @param {ReturnType<typeof import("./api.js").createApi>} api */
export function createStore(api) {
  /** @type {Map<string, any>} */
  const held = new Map();
  /** @type {Set<() => void>} */
  const listeners = new Set();
  /** Offered as choices, also where the filter shows none of them. */
  const known = { pipelines: new Set(), origins: new Set() };
  /** @type {any[] | undefined} */
  let sorted;
  /** @type {import("./address.js").Filter} */
  let filter = {};
  let loading = new AbortController();
  let question = "";
  const state = { isLoading: true, hasMore: false, error: /** @type {Error | undefined} */ (undefined) };

  let isTold = false;
  function changed() {
    sorted = undefined;
    if (isTold) return;
    isTold = true;
    requestAnimationFrame(() => {
      isTold = false;
      for (const listener of listeners) listener();
    });
  }

  /** @param {any} anomaly */
  function hold(anomaly) {
    known.pipelines.add(anomaly.pipeline);
    known.origins.add(anomaly.origin);
    // Text is looked for in what is held: it is there again when another is looked for.
    const { text: _, ...asked } = filter;
    if (isWanted(anomaly, asked)) held.set(anomaly.id, anomaly);
    else held.delete(anomaly.id);
  }

  /** A page may be left open for weeks. */
  function dropOldest() {
    const oldest = [...held.values()].sort(newestFirst).slice(mostHeld);
    for (const { id } of oldest) held.delete(id);
    state.hasMore = true;
  }

  async function load() {
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    Object.assign(state, { isLoading: true, hasMore: false, error: undefined });
    held.clear();
    changed();
    let cursor = null;
    try {
      do {
        const asked = new URLSearchParams(question);
        asked.set("limit", String(pageSize));
        if (cursor !== null) asked.set("cursor", cursor);
        const page = await api.get(`anomalies?${asked}`, { signal });
        for (const anomaly of page.anomalies) hold(anomaly);
        cursor = page.next_cursor;
        changed();
      } while (cursor !== null && held.size < mostHeld);
      state.hasMore = cursor !== null;
    } catch (thrown) {
      if (signal.aborted) return;
      state.error = /** @type {Error} */ (thrown);
    }
    state.isLoading = false;
    changed();
  }

  return {
    state,
    known,
    /** @param {() => void} listener */
    onChange(listener) {
      listeners.add(listener);
    },
    /** Asks again where another question is asked; text is looked for in what is held. @param {import("./address.js").Filter} wanted */
    show(wanted) {
      filter = wanted;
      const asked = questionOf(wanted);
      if (asked === question && (held.size > 0 || state.isLoading === false)) return changed();
      question = asked;
      void load();
    },
    reload: () => void load(),
    /** @param {any} anomaly new, or newer than the one held */
    put(anomaly) {
      hold(anomaly);
      if (held.size > mostHeld + pageSize) dropOldest();
      changed();
    },
    /** @param {string} id */
    get: (id) => held.get(id),
    /** The newest first. */
    list() {
      sorted ??= [...held.values()].filter((one) => isWanted(one, filter)).sort(newestFirst);
      return sorted;
    },
  };
}

/** @param {any} a @param {any} b */
function newestFirst(a, b) {
  if (a.end !== b.end) return a.end < b.end ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

/** The part of a filter that the API answers. @param {import("./address.js").Filter} filter */
function questionOf({ text: _, last, ...filter }) {
  const asked = new URLSearchParams(Object.entries(filter));
  const since = sinceOf(last);
  if (since !== undefined) asked.set("from", since);
  return asked.toString();
}

/** As the API sifts, for what comes live. @param {any} anomaly @param {import("./address.js").Filter} filter */
export function isWanted(anomaly, { pipeline, origin, verdict, feedback, from, to, last, text }) {
  if (anomaly.stage === "moved") return false;
  if (verdict === undefined ? anomaly.verdict === "normal" : anomaly.verdict !== verdict) return false;
  if (pipeline !== undefined && anomaly.pipeline !== pipeline) return false;
  if (origin !== undefined && anomaly.origin !== origin) return false;
  if (feedback !== undefined && (anomaly.feedback?.judgement ?? "none") !== feedback) return false;
  const end = Date.parse(anomaly.end);
  if (from !== undefined && end < Date.parse(from)) return false;
  if (to !== undefined && end > Date.parse(to)) return false;
  const since = sinceOf(last);
  if (since !== undefined && end < Date.parse(since)) return false;
  return text === undefined || holds(anomaly, text.toLowerCase());
}

/** @param {any} anomaly @param {string} text lower case */
function holds({ heaviest, origin, key, fingerprint, id }, text) {
  return [
    origin,
    key,
    fingerprint ?? "",
    id,
    ...heaviest.flatMap((/** @type {any} */ one) => [one.text, one.masked]),
  ].some((part) => part.toLowerCase().includes(text));
}
