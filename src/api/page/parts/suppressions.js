/** False alarms: what nobody is alerted of because of them, and how they are taken back. */
import { button, h, refill } from "../dom.js";
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
  const partial = h(
    "p",
    { class: "quiet", hidden: true },
    "There are more; `logguardian suppressions` lists them all.",
  );
  const element = h(
    "section",
    { class: "suppressions", "aria-labelledby": "suppressions-title", hidden: true },
    [h("h2", { id: "suppressions-title" }, "Suppressed by false alarms"), list, partial],
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
          {
            href: page.addressOf({ view: "group", name: fingerprint, filter: {} }),
            "data-at": `group ${anomaly_id}`,
          },
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
        { "data-at": `undo ${anomaly_id}` },
      ),
    );
  }

  return {
    element,
    /** @param {AbortSignal} signal */
    async load(signal) {
      const answer = await page.api.get("suppressions", { signal });
      suppressions = answer.suppressions;
      element.hidden = suppressions.length === 0;
      partial.hidden = !answer.partial;
      refill(list, suppressions.map(rowOf));
    },
    /** What was said of any of a group's anomalies: here, a moment ago, or before. @param {any} pattern */
    undo(pattern) {
      /** @param {any} other */
      const isIt = (other) =>
        other?.fingerprint === pattern?.fingerprint && other?.pipeline === pattern?.pipeline;
      void page.feedback.takeBack((saidLast) => {
        if (isIt(saidLast)) return saidLast;
        const one = suppressions.find(isIt);
        if (one !== undefined) return { ...pattern.newest, id: one.anomaly_id };
        return pattern?.newest.feedback ? pattern.newest : undefined;
      });
    },
  };
}
