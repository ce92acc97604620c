/** What was found: origins by time above, each anomaly below. */
import { fill, h } from "../dom.js";
import { createAnomalyList } from "../parts/anomaly-list.js";
import { failed, loading, nothing } from "../parts/states.js";
import { createTimeline } from "../parts/timeline.js";
import { count } from "../words.js";

/** @param {import("../app.js").Page} page */
export function createAnomaliesView(page) {
  const { store } = page;
  const timeline = createTimeline(page);
  const list = createAnomalyList(page, "Anomalies, the newest first");
  const summary = h("p", { class: "summary quiet", role: "status" });
  const state = h("div", {});
  const listing = h("section", { class: "listing", "aria-labelledby": "list-title" }, [
    h("div", { class: "title" }, h("h2", { id: "list-title" }, "Anomalies"), summary),
    list.element,
  ]);
  const element = h(
    "div",
    { class: "view overview" },
    h("h1", { class: "unseen" }, "Anomalies"),
    timeline.element,
    listing,
    state,
  );

  function update() {
    const anomalies = store.list();
    const { isLoading, error, hasMore } = store.state;
    const isEmpty = anomalies.length === 0;
    listing.hidden = isEmpty;
    timeline.show(anomalies);
    if (!isEmpty) list.show(anomalies);
    fill(
      summary,
      `${count(anomalies.length, "anomaly", "anomalies")}${isLoading ? ", loading more …" : ""}${hasMore ? ": the newest. For older ones choose a time, a pipeline or an origin" : ""}`,
    );
    if (error !== undefined) fill(state, failed(error, store.reload));
    else if (isLoading && isEmpty) fill(state, loading("Loading anomalies …"));
    else if (!isEmpty) fill(state);
    else if (state.firstChild?.dataset?.nothing !== location.hash) {
      // Kept while it stands: somebody may be copying from it.
      const said = nothing(page);
      said.dataset.nothing = location.hash;
      fill(state, said);
    }
  }

  return {
    element,
    show: update,
    update,
    leave() {},
    /** @param {any} _ */
    onAnomaly(_) {},
    /** @param {number} step the one beside the one that is open, in the list's order @param {string} id */
    beside(step, id) {
      const all = store.list();
      return all[all.findIndex((one) => one.id === id) + step];
    },
    keys: { ...list.keys, ...page.feedback.keys(list.selected) },
  };
}
