/** One fingerprint: how often, where and since when, and each of its anomalies. */

import { isPassing } from "../api.js";
import { fill, h, key, refill } from "../dom.js";
import { createAnomalyList } from "../parts/anomaly-list.js";
import { createKeyButtons } from "../parts/key-buttons.js";
import { createSparkline, trendInWords } from "../parts/sparkline.js";
import { failed, loading } from "../parts/states.js";
import { createQuestion } from "../question.js";
import { ago, count, dateTime, fixed, headline, noveltyInWords, visible } from "../words.js";

const pageSize = 1000;

/** @param {import("../app.js").Page} page */
export function createGroupView(page) {
  const { api, feedback } = page;
  const list = createAnomalyList(page, "Anomalies of this group, the newest first");
  const head = h("div", {});
  const element = h("div", { class: "view group" });
  let fingerprint = "";
  const keys = {
    ...list.keys,
    ...feedback.keys(list.selected),
    Escape: () => page.go({ view: "groups" }),
  };
  const listing = h("section", { class: "listing", "aria-labelledby": "group-list" }, [
    h("div", { class: "title" }, [
      h("h2", { id: "group-list" }, "Its anomalies"),
      createKeyButtons("Feedback on the selected anomaly", keys, ["c", "f", "F"]),
    ]),
    list.element,
  ]);

  const question = createQuestion(async (signal) => {
    try {
      const [{ patterns, from, to }, { anomalies }] = await Promise.all([
        api.get(`patterns?${new URLSearchParams({ fingerprint, buckets: "48" })}`, { signal }),
        api.get(`anomalies?${new URLSearchParams({ fingerprint, limit: String(pageSize) })}`, { signal }),
      ]);
      if (patterns.length === 0 && anomalies.length === 0) {
        fill(element, back(), unknown());
        return;
      }
      refill(
        head,
        patterns.map((/** @type {any} */ pattern) => summaryOf(pattern, { from, to })),
      );
      if (!listing.isConnected) fill(element, back(), head, listing);
      list.show(anomalies);
    } catch (thrown) {
      if (signal.aborted) return;
      if (listing.isConnected && isPassing(thrown)) return void question.soon();
      fill(element, back(), failed(/** @type {Error} */ (thrown), question.now, "h1"));
    }
  });

  const unknown = () =>
    h("section", { class: "state" }, [
      h("h1", {}, "This group is not known"),
      h(
        "p",
        {},
        `No anomaly of the fingerprint ${visible(fingerprint)} is held: anomalies are forgotten after api.index.retention.`,
      ),
    ]);

  const back = () =>
    h(
      "p",
      { class: "back" },
      h("a", { href: page.addressOf({ view: "groups" }) }, "← Groups"),
      " ",
      key("Esc"),
    );

  /** @param {any} pattern @param {any} time */
  function summaryOf(pattern, { from, to }) {
    const {
      pipeline,
      windows,
      origins,
      top_origins,
      first_seen,
      last_seen,
      trend,
      novelty,
      score,
      newest,
      suppressed,
    } = pattern;
    const most = top_origins[0]?.windows ?? 1;
    return h("section", { class: "group-summary" }, [
      h("header", {}, [
        h("div", {}, [
          h("h1", {}, h("bdi", {}, headline(newest, "masked"))),
          h(
            "p",
            { class: "lead" },
            `${count(windows, "anomalous window")} of ${count(origins, "origin")} in ${visible(pipeline)}, ${trendInWords(trend).replace(/^\W+/, "")}.`,
          ),
          suppressed &&
            h(
              "p",
              { class: "said" },
              h("strong", {}, "◌ suppressed"),
              " by a false alarm: nobody is alerted of it now",
            ),
        ]),
      ]),
      h("dl", { class: "facts" }, [
        fact("First seen", `${dateTime(first_seen)} UTC`, ago(first_seen)),
        fact("Last seen", `${dateTime(last_seen)} UTC`, ago(last_seen)),
        fact("Highest score", fixed(score, 3), `anomalous from ${fixed(newest.threshold, 3)} on`),
        fact("Novelty", fixed(novelty, 3), noveltyInWords(novelty)),
      ]),
      h("div", { class: "spread" }, [
        h("div", { class: "big-trend" }, [
          h("h2", {}, "When"),
          createSparkline(
            trend,
            `Windows by time from ${dateTime(from)} to ${dateTime(to)} UTC: ${trend.join(", ")}`,
          ),
          h(
            "p",
            { class: "quiet ends" },
            h("span", {}, `${dateTime(from)} UTC`),
            h("span", {}, `${dateTime(to)} UTC`),
          ),
        ]),
        h("div", {}, [
          h("h2", {}, "Where"),
          h(
            "ol",
            { class: "origins" },
            top_origins.map((/** @type {any} */ one) =>
              h("li", { style: { "--share": (one.windows / most).toFixed(3) } }, [
                h(
                  "a",
                  {
                    href: page.addressOf({ view: "anomalies", filter: { origin: one.name } }),
                    "data-at": one.name,
                  },
                  visible(one.name),
                ),
                h("span", { class: "number" }, one.windows.toLocaleString("en")),
              ]),
            ),
            origins > top_origins.length &&
              h("li", { class: "quiet" }, `and ${count(origins - top_origins.length, "more origin")}`),
          ),
        ]),
      ]),
    ]);
  }

  /** @param {string} question @param {string} answer @param {string} more */
  const fact = (question, answer, more) =>
    h(
      "div",
      {},
      h("dt", {}, question),
      h("dd", {}, h("strong", {}, answer), h("span", { class: "quiet" }, more)),
    );

  feedback.onSaid(() => element.isConnected && question.now());

  return {
    element,
    /** @param {import("../address.js").Place} place */
    show({ name = "" }) {
      if (fingerprint !== name) fill(element, back(), loading("Loading the group …"));
      fingerprint = name;
      question.now();
    },
    update() {},
    leave() {
      fingerprint = "";
      question.giveUp();
    },
    /** @param {any} anomaly */
    onAnomaly(anomaly) {
      if (anomaly.fingerprint === fingerprint) void question.soon();
    },
    keys,
  };
}
