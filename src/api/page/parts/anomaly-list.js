/** Anomalies as rows, of which only those in sight exist: ten thousand scroll like ten. */
import { fill, h } from "../dom.js";
import { strengthOf } from "../strength.js";
import { ago, dateTime, fixed, headline, saidInWords, whereOf } from "../words.js";

const rowHeight = 46;
/** Rows drawn beyond either edge. */
const beyond = 8;
const columns = ["Score", "When (UTC)", "Origin", "Heaviest line", "Said"];

/** @param {import("../app.js").Page} page @param {string} label */
export function createAnomalyList(page, label) {
  /** @type {any[]} */
  let anomalies = [];
  /** @type {string | undefined} */
  let selected;
  /** Until somebody moves, the newest is selected. */
  let isChosen = false;
  const rows = h("div", { class: "rows", role: "rowgroup" });
  const head = h(
    "div",
    { role: "rowgroup", class: "head" },
    h(
      "div",
      { role: "row", "aria-rowindex": 1 },
      columns.map((name) => h("span", { role: "columnheader" }, name)),
    ),
  );
  const scroller = h("div", { class: "scroller" }, rows);
  const element = h("div", { class: "anomaly-list", role: "table", "aria-label": label }, head, scroller);

  /** @param {any} anomaly @param {number} place */
  function rowOf(anomaly, place) {
    const { id, score, end, verdict, stage, feedback } = anomaly;
    const isSelected = id === selected;
    const row = h(
      "div",
      {
        role: "row",
        class: "row",
        "aria-rowindex": place + 2,
        "data-id": id,
        "data-said": feedback?.judgement,
        "data-selected": isSelected,
        style: { "--top": `${place * rowHeight}px`, "--strength": strengthOf(anomaly).toFixed(3) },
      },
      h(
        "span",
        { role: "cell", class: "score" },
        h("span", { class: "bar", "aria-hidden": "true" }),
        verdict === "undecided" ? "undecided" : fixed(score),
      ),
      h(
        "span",
        { role: "cell", class: "when" },
        dateTime(end),
        h("span", { class: "quiet" }, ` ${ago(end)}`),
      ),
      h("span", { role: "cell", class: "origin" }, h("bdi", {}, whereOf(anomaly))),
      h(
        "span",
        { role: "cell", class: "what" },
        h(
          "a",
          {
            href: page.addressOf({ view: "anomaly", name: id }),
            tabindex: isSelected ? "0" : "-1",
            "aria-current": isSelected ? "true" : undefined,
          },
          headline(anomaly),
        ),
      ),
      h(
        "span",
        { role: "cell", class: "said" },
        saidInWords(feedback) || (stage === "raised" && "◷ open") || (verdict === "normal" && "withdrawn"),
      ),
    );
    row.addEventListener("click", () => {
      selected = id;
      isChosen = true;
      location.hash = page.addressOf({ view: "anomaly", name: id });
    });
    return row;
  }

  function draw() {
    const from = Math.max(0, Math.floor(scroller.scrollTop / rowHeight) - beyond);
    const seen = Math.ceil((scroller.clientHeight || 600) / rowHeight) + 2 * beyond;
    const hadFocus = rows.contains(document.activeElement);
    rows.style.setProperty("--height", `${anomalies.length * rowHeight}px`);
    element.setAttribute("aria-rowcount", String(anomalies.length + 1));
    fill(
      rows,
      anomalies.slice(from, from + seen).map((one, place) => rowOf(one, from + place)),
    );
    if (hadFocus) focus();
  }

  function focus() {
    /** @type {HTMLElement | null} */ (rows.querySelector('a[tabindex="0"]'))?.focus({ preventScroll: true });
  }

  const placeOf = () => anomalies.findIndex(({ id }) => id === selected);

  /** @param {number} step */
  function move(step) {
    if (anomalies.length === 0) return;
    // The first key shows where one is.
    const before = isChosen || element.contains(document.activeElement) ? placeOf() : -1;
    isChosen = true;
    const place =
      before === -1 && Number.isFinite(step) ? 0 : Math.min(anomalies.length - 1, Math.max(0, before + step));
    selected = anomalies[place].id;
    const top = place * rowHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    const bottom = top + rowHeight - scroller.clientHeight;
    if (bottom > scroller.scrollTop) scroller.scrollTop = bottom;
    draw();
    focus();
  }

  let isDue = false;
  scroller.addEventListener("scroll", () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      draw();
    });
  });
  new ResizeObserver(draw).observe(scroller);

  return {
    element,
    /** @param {any[]} wanted the newest first; what comes above does not move what is read. */
    show(wanted) {
      const at = Math.floor(scroller.scrollTop / rowHeight);
      const top = at > 0 ? anomalies[at]?.id : undefined;
      anomalies = wanted;
      if (!isChosen || placeOf() === -1) selected = anomalies[0]?.id;
      draw();
      const now = top === undefined ? -1 : anomalies.findIndex(({ id }) => id === top);
      if (now > at) {
        scroller.scrollTop += (now - at) * rowHeight;
        draw();
      }
    },
    selected: () => anomalies[placeOf()],
    move,
    keys: {
      j: () => move(1),
      k: () => move(-1),
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      Home: () => move(Number.NEGATIVE_INFINITY),
      End: () => move(Number.POSITIVE_INFINITY),
      Enter() {
        if (selected !== undefined) page.go({ view: "anomaly", name: selected });
      },
    },
  };
}
