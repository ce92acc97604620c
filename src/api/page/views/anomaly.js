/** One anomaly: what happened, where, since when, how sure, how new, its lines, and what to do next. */

import { isPassing } from "../api.js";
import { commandsFor } from "../commands.js";
import { fill, h, key } from "../dom.js";
import { createCommand } from "../parts/command.js";
import { createFacts } from "../parts/facts.js";
import { createKeyButtons } from "../parts/key-buttons.js";
import { failed, loading } from "../parts/states.js";
import { createWindowLines } from "../parts/window-lines.js";
import { createQuestion } from "../question.js";
import { headline, saidInWords, saidMore, sentence, visible } from "../words.js";

/** @param {import("../app.js").Page} page */
export function createAnomalyView(page) {
  const { api, store, feedback } = page;
  const element = h("article", { class: "view detail" });
  const lines = createWindowLines(() => showTitle());
  const title = h("h1", {});
  const said = h("p", { class: "said", role: "status" });
  /** @type {any} */
  let shown;
  let wanted = "";

  const question = createQuestion(async (signal) => {
    try {
      const found = await api.get(`anomalies/${encodeURIComponent(wanted)}`, { signal });
      const before = shown;
      shown = found;
      showSaid();
      // What is said changes nothing else; and nobody's focus is lost over it.
      if (revisionOf(before) !== revisionOf(shown)) draw();
      document.title = `${headline(shown).slice(0, 80)} – LogGuardian`;
      if (before?.id !== shown.id) scrollTo(0, 0);
    } catch (thrown) {
      if (signal.aborted) return;
      // What is read stays, and is asked for again.
      if (shown?.id === wanted && isPassing(thrown)) return void question.soon();
      shown = undefined;
      fill(element, back(), failed(/** @type {Error} */ (thrown), question.now, "h1"));
    }
  });

  const back = () =>
    h("p", { class: "back" }, [
      h("a", { href: page.addressOf({ view: "anomalies" }) }, "← Anomalies"),
      " ",
      key("Esc"),
      h("span", { class: "keys-hint quiet" }, key("k"), " newer ", key("j"), " older"),
    ]);

  function showTitle() {
    if (shown !== undefined) fill(title, h("bdi", {}, headline(shown, lines.form())));
  }

  function showSaid() {
    const { feedback: one, suppressed } = shown;
    fill(
      said,
      one !== null && h("strong", {}, saidInWords(one)),
      one !== null && ` by ${visible(one.by)}${saidMore(one)}`,
      suppressed &&
        h(
          "span",
          {},
          one === null ? "◌ suppressed: nobody is alerted of its fingerprint now" : " · suppressed",
        ),
    );
    said.hidden = one === null && !suppressed;
  }

  function draw() {
    showTitle();
    const { lines: given, window } = shown.document.logguardian;
    lines.show(given, window.scored);
    fill(
      element,
      back(),
      h(
        "header",
        {},
        h("div", {}, title, h("p", { class: "lead" }, sentence(shown)), said),
        createKeyButtons("Feedback", keys, ["c", "f", "F", "u"]),
      ),
      createFacts(shown, page),
      lines.element,
      h(
        "section",
        { class: "next", "aria-labelledby": "next-title" },
        h("h2", { id: "next-title" }, "What to do next"),
        commandsFor(shown, { url: document.baseURI.split("#")[0] ?? "", hasToken: api.hasToken() }).map(
          ({ label, command, note }) => createCommand(label, command, note),
        ),
      ),
    );
  }

  feedback.onSaid((id) => {
    if (wanted === id) question.now();
  });

  /** @param {number} step */
  function move(step) {
    const all = store.list();
    const place = all.findIndex(({ id }) => id === wanted);
    const next = all[place === -1 ? 0 : place + step];
    if (next !== undefined) page.go({ view: "anomaly", name: next.id });
  }

  const keys = {
    ...feedback.keys(() => shown),
    u: () => void feedback.undo(shown),
    j: () => move(1),
    k: () => move(-1),
    m: () => lines.toggle(),
    n: () => lines.next(),
    Escape: () => page.go({ view: "anomalies" }),
  };

  return {
    element,
    /** @param {import("../address.js").Place} place */
    show({ name = "" }) {
      wanted = name;
      if (shown?.id !== name) {
        shown = undefined;
        fill(element, loading("Loading the anomaly …"));
      }
      question.now();
    },
    update() {},
    leave() {
      document.title = "LogGuardian";
      wanted = "";
      question.giveUp();
    },
    /** @param {any} anomaly */
    onAnomaly(anomaly) {
      if (anomaly.id === wanted) void question.soon();
    },
    keys,
  };
}

/** @param {any} anomaly */
const revisionOf = (anomaly) => anomaly && `${anomaly.id} ${anomaly.document.logguardian.revision}`;
