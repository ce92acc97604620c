/** Where, since when, how sure, how new: the questions of whoever was woken. */
import { h } from "../dom.js";
import { ago, dateTime, duration, fixed, noveltyInWords, visible } from "../words.js";

/** @param {any} anomaly with its document @param {import("../app.js").Page} page */
export function createFacts(anomaly, page) {
  const { origin, key, pipeline, start, end, score, threshold, novelty, model, fingerprint } = anomaly;
  const { window } = anomaly.document.logguardian;
  const lastedMs = Date.parse(end) - Date.parse(start);
  return h(
    "dl",
    { class: "facts" },
    fact("Where", h("bdi", { class: "mono" }, visible(origin)), [
      `pipeline ${visible(pipeline)}`,
      key !== origin && `, window key ${visible(key)}`,
    ]),
    fact("Since when", h("time", { datetime: start }, `${dateTime(start)} UTC`), [
      `${ago(start)}, ${lastedMs < 1000 ? "at once" : `for ${duration(lastedMs)}`}`,
    ]),
    fact(
      "How sure",
      score === null ? "undecided" : `score ${fixed(score, 3)}`,
      [`anomalous from ${fixed(threshold, 3)} on, by ${model.name} ${model.version}`],
      score !== null && meter(score, threshold),
    ),
    fact("How new", novelty === null ? "–" : `novelty ${fixed(novelty, 3)}`, [noveltyInWords(novelty)]),
    fact(
      "Seen before",
      fingerprint === null
        ? "–"
        : h(
            "a",
            { href: page.addressOf({ view: "group", name: fingerprint, filter: {} }), class: "mono" },
            fingerprint,
          ),
      [`all windows of this fingerprint; this one closed: ${window.closed}`],
    ),
  );
}

/** @param {string} question @param {import("../dom.js").Child} answer @param {import("../dom.js").Child[]} more @param {import("../dom.js").Child} [picture] */
function fact(question, answer, more, picture) {
  return h(
    "div",
    {},
    h("dt", {}, question),
    h("dd", {}, h("strong", {}, answer), picture, h("span", { class: "quiet" }, more)),
  );
}

/** @param {number} score @param {number} threshold */
function meter(score, threshold) {
  return h(
    "span",
    {
      class: "meter",
      "aria-hidden": "true",
      style: { "--score": score.toFixed(3), "--threshold": threshold.toFixed(3) },
    },
    h("i"),
    h("b"),
  );
}
