/** False alarms: what nobody is alerted of because of them, and how they are taken back. */
import { button, fill, h } from "../dom.js";
import { count, dateTime, headline, visible } from "../words.js";

const states = {
  active: "active",
  ended: "ended: its time is over",
  "other-bundle": "ended: another bundle judges",
};

/** @param {import("../app.js").Page} page */
export function createSuppressions(page) {
  /** @type {any[]} */
  let suppressions = [];
  const list = h("ul", {});
  const element = h(
    "section",
    { class: "suppressions", "aria-labelledby": "suppressions-title", hidden: true },
    [h("h2", { id: "suppressions-title" }, "Suppressed by false alarms"), list],
  );

  /** @param {any} one */
  function rowOf(one) {
    const { anomaly_id, fingerprint, pipeline, state, since, until, by, note, windows, more, newest } = one;
    return h(
      "li",
      {},
      h("div", {}, [
        h(
          "a",
          { href: page.addressOf({ view: "group", name: fingerprint, filter: {} }) },
          newest === null ? fingerprint : headline(newest, "masked"),
        ),
        h(
          "p",
          { class: "quiet" },
          `${visible(pipeline)}, ${states[/** @type {keyof typeof states} */ (state)]}; by ${by} since ${dateTime(since)} UTC${until === null ? ", until another bundle judges" : ` until ${dateTime(until)} UTC`}; ${more ? "more than " : ""}${count(windows, "window")} since then alerted nobody.`,
          note !== null && ` “${visible(note)}”`,
        ),
      ]),
      button(
        "Take back",
        () => void page.feedback.undo({ id: anomaly_id, heaviest: newest?.heaviest ?? [], key: fingerprint }),
      ),
    );
  }

  return {
    element,
    /** @param {AbortSignal} signal */
    async load(signal) {
      ({ suppressions } = await page.api.get("suppressions", { signal }));
      element.hidden = suppressions.length === 0;
      fill(list, suppressions.map(rowOf));
    },
    /** What was said of any of a group's anomalies. @param {any} pattern */
    undo(pattern) {
      const one = suppressions.find(
        ({ fingerprint, pipeline }) => fingerprint === pattern?.fingerprint && pipeline === pattern?.pipeline,
      );
      if (one !== undefined) return void page.feedback.undo({ ...pattern.newest, id: one.anomaly_id });
      void page.feedback.undo(pattern?.newest.feedback ? pattern.newest : undefined);
    },
  };
}
