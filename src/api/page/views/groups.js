/** Anomalies by fingerprint: the same fault, however often and wherever it is seen. */
import { sinceOf } from "../address.js";
import { isPassing } from "../api.js";
import { button, fill, h } from "../dom.js";
import { createSparkline, trendInWords } from "../parts/sparkline.js";
import { failed, loading, nothing } from "../parts/states.js";
import { createSuppressions } from "../parts/suppressions.js";
import { createQuestion } from "../question.js";
import { ago, count, dateTime, fixed, headline, visible } from "../words.js";

/** @type {{ name: string, label: string, of: (pattern: any) => number | string }[]} */
const columns = [
  { name: "what", label: "What its newest says", of: ({ newest }) => headline(newest) },
  { name: "windows", label: "Count", of: ({ windows }) => windows },
  { name: "origins", label: "Origins", of: ({ origins }) => origins },
  {
    name: "trend",
    label: "Trend",
    of: ({ trend }) => trend.slice(-6).reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0),
  },
  { name: "first", label: "First seen", of: ({ first_seen }) => first_seen },
  { name: "last", label: "Last seen", of: ({ last_seen }) => last_seen },
  { name: "novelty", label: "Novelty", of: ({ novelty }) => novelty ?? -1 },
  {
    name: "said",
    label: "Said",
    of: ({ suppressed, feedback }) => (suppressed ? 1e9 : 0) + feedback.confirmed,
  },
];

/** @param {import("../app.js").Page} page */
export function createGroupsView(page) {
  const { api } = page;
  /** @type {any} */
  let found;
  let sortedBy = "windows";
  let isDescending = true;
  /** @type {string | undefined} */
  let selected;
  const summary = h("p", { class: "quiet", role: "status" });
  const head = h("tr", {});
  const body = h("tbody", {});
  const table = h(
    "div",
    { class: "wide-table", tabindex: "0", role: "region", "aria-label": "Groups", hidden: true },
    h("table", { class: "groups" }, h("thead", {}, head), body),
  );
  const state = h("div", {});
  const suppressions = createSuppressions(page);
  const element = h("div", { class: "view" }, [
    h("div", { class: "title" }, h("h1", {}, "Groups"), summary),
    h(
      "p",
      { class: "quiet" },
      "Anomalous windows with the same fingerprint: the same lines weigh most, wherever they were written.",
    ),
    table,
    state,
    suppressions.element,
  ]);

  const question = createQuestion(async (signal) => {
    const { pipeline, from, to, last } = page.place().filter;
    const asked = new URLSearchParams({ buckets: "24" });
    for (const [name, value] of Object.entries({ pipeline, from: sinceOf(last) ?? from, to }))
      if (value) asked.set(name, value);
    if (found === undefined) fill(state, loading("Loading groups …"));
    try {
      [found] = await Promise.all([
        api.get(`patterns?${asked}`, { signal }),
        // Where they cannot be had, those that are shown stay; groups say by themselves whether they are suppressed.
        suppressions.load(signal).catch(() => undefined),
      ]);
      fill(state);
      draw();
    } catch (thrown) {
      if (signal.aborted) return;
      // What is read stays, and is asked for again.
      if (found !== undefined && isPassing(thrown)) return void question.soon();
      found = undefined;
      table.hidden = true;
      fill(state, failed(/** @type {Error} */ (thrown), question.now));
    }
  });

  function sorted() {
    const { text } = page.place().filter;
    const of = columns.find(({ name }) => name === sortedBy)?.of ?? (() => 0);
    const wanted = found.patterns.filter(
      (/** @type {any} */ one) => text === undefined || says(one, text.toLowerCase()),
    );
    return wanted.sort((/** @type {any} */ a, /** @type {any} */ b) => {
      const [x, y] = [of(a), of(b)];
      const order = x < y ? -1 : x > y ? 1 : 0;
      return isDescending ? -order : order;
    });
  }

  function draw() {
    const patterns = sorted();
    table.hidden = patterns.length === 0;
    fill(summary, count(patterns.length, "group"), found.partial && ", not all: choose less time");
    if (patterns.length === 0) return fill(state, nothing(page));
    fill(state);
    if (!patterns.some((/** @type {any} */ { fingerprint }) => fingerprint === selected))
      selected = patterns[0].fingerprint;
    const hadFocus = body.contains(document.activeElement);
    fill(body, patterns.map(rowOf));
    if (hadFocus) focus();
  }

  // Not drawn anew with each answer: somebody may be at one of its buttons.
  const drawHead = () => fill(head, columns.map(headOf));

  /** @param {typeof columns[number]} column */
  function headOf({ name, label }) {
    const isSorted = name === sortedBy;
    const sort = () => {
      isDescending = isSorted ? !isDescending : name !== "what";
      sortedBy = name;
      drawHead();
      draw();
      /** @type {HTMLElement | null} */ (head.querySelector(`[data-column="${name}"] button`))?.focus();
    };
    return h(
      "th",
      {
        scope: "col",
        "data-column": name,
        "aria-sort": isSorted ? (isDescending ? "descending" : "ascending") : undefined,
      },
      button(`${label}${isSorted ? (isDescending ? " ↓" : " ↑") : ""}`, sort, { class: "plain" }),
    );
  }

  /** @param {any} pattern */
  function rowOf(pattern) {
    const {
      fingerprint,
      pipeline,
      windows,
      origins,
      top_origins,
      trend,
      first_seen,
      last_seen,
      novelty,
      newest,
    } = pattern;
    const isSelected = fingerprint === selected;
    const words = trendInWords(trend);
    const row = h(
      "tr",
      { "data-selected": isSelected, "data-suppressed": pattern.suppressed, "data-fingerprint": fingerprint },
      h(
        "td",
        { class: "what" },
        h(
          "a",
          {
            href: page.addressOf({ view: "group", name: fingerprint }),
            tabindex: isSelected ? "0" : "-1",
            "aria-current": isSelected ? "true" : undefined,
          },
          headline(newest, "masked"),
        ),
        h("span", { class: "quiet" }, `${visible(pipeline)} · ${fingerprint}`),
      ),
      h("td", { class: "number" }, windows.toLocaleString("en")),
      h(
        "td",
        { class: "number", title: top_origins.map((/** @type {any} */ one) => visible(one.name)).join("\n") },
        origins.toLocaleString("en"),
      ),
      h(
        "td",
        { class: "trend" },
        createSparkline(trend, `${words}; by time: ${trend.join(", ")}`),
        h("span", { class: "quiet" }, words),
      ),
      time(first_seen),
      time(last_seen),
      h("td", { class: "number" }, fixed(novelty)),
      h("td", { class: "said" }, saidOf(pattern)),
    );
    return row;
  }

  /** @param {string} at */
  const time = (at) => h("td", { class: "when" }, dateTime(at), h("span", { class: "quiet" }, ` ${ago(at)}`));

  function focus() {
    /** @type {HTMLElement | null} */ (body.querySelector('a[tabindex="0"]'))?.focus();
  }

  /** @param {number} step */
  function move(step) {
    if (found === undefined) return;
    const patterns = sorted();
    const place = patterns.findIndex((/** @type {any} */ { fingerprint }) => fingerprint === selected);
    const isFirst = !body.contains(document.activeElement);
    selected =
      patterns[Math.min(patterns.length - 1, Math.max(0, place + (isFirst ? 0 : step)))]?.fingerprint;
    draw();
    focus();
  }

  drawHead();
  page.feedback.onSaid(() => element.isConnected && question.now());
  const selectedPattern = () =>
    found?.patterns.find((/** @type {any} */ { fingerprint }) => fingerprint === selected);

  return {
    element,
    show: question.now,
    update() {},
    leave: question.giveUp,
    onAnomaly: () => void question.soon(),
    keys: {
      ...page.feedback.keys(() => selectedPattern()?.newest),
      u: () => suppressions.undo(selectedPattern()),
      j: () => move(1),
      k: () => move(-1),
      Enter: () => selected !== undefined && page.go({ view: "group", name: selected }),
      Escape: () => page.go({ view: "anomalies" }),
    },
  };
}

/** @param {any} pattern */
function saidOf({ suppressed, feedback: { confirmed, false_alarms } }) {
  return [
    suppressed && h("strong", {}, "◌ suppressed"),
    confirmed > 0 && h("span", {}, ` ✓ ${confirmed} confirmed`),
    !suppressed && false_alarms > 0 && h("span", {}, ` ✕ ${count(false_alarms, "false alarm")}`),
  ];
}

/** @param {any} pattern @param {string} text lower case */
function says({ fingerprint, top_origins, newest }, text) {
  return [
    fingerprint,
    headline(newest),
    headline(newest, "masked"),
    ...top_origins.map((/** @type {any} */ { name }) => name),
  ].some((part) => part.toLowerCase().includes(text));
}
