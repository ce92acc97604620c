/** One anomaly: what happened, where, since when, how sure, how new, its lines, and what to do next. */

import { commandsFor } from "../commands.js";
import { fill, h, key } from "../dom.js";
import { createCommand } from "../parts/command.js";
import { createFacts } from "../parts/facts.js";
import { failed, loading } from "../parts/states.js";
import { createWindowLines } from "../parts/window-lines.js";
import { headline, saidInWords, sentence } from "../words.js";

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

  /** @param {string} id */
  async function load(id) {
    wanted = id;
    if (shown?.id !== id) {
      shown = undefined;
      fill(element, loading("Loading the anomaly …"));
    }
    try {
      const found = await api.get(`anomalies/${encodeURIComponent(id)}`);
      if (wanted !== id) return;
      const isAnother = shown?.id !== id;
      shown = found;
      draw(isAnother);
    } catch (thrown) {
      if (wanted === id)
        fill(
          element,
          back(),
          failed(/** @type {Error} */ (thrown), () => void load(id), "h1"),
        );
    }
  }

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
      one !== null && ` by ${one.by}`,
      suppressed &&
        h(
          "span",
          {},
          one === null ? "◌ suppressed: nobody is alerted of its fingerprint now" : " · suppressed",
        ),
    );
    said.hidden = one === null && !suppressed;
  }

  /** @param {boolean} isAnother */
  function draw(isAnother) {
    const { ours, selected } = { ours: shown.document.logguardian, selected: () => shown };
    showTitle();
    showSaid();
    if (isAnother) lines.show(ours.lines);
    const act = (/** @type {string} */ label, /** @type {any} */ judgement, /** @type {string} */ name) =>
      h(
        "button",
        {
          type: "button",
          onclick: () => void feedback.say(selected(), judgement),
          "aria-keyshortcuts": name,
        },
        label,
        " ",
        key(name),
      );
    fill(
      element,
      back(),
      h(
        "header",
        {},
        h("div", {}, title, h("p", { class: "lead" }, sentence(shown)), said),
        h("div", { class: "actions", role: "group", "aria-label": "Feedback" }, [
          act("Confirm", "confirmed", "c"),
          act("False alarm", "false-alarm", "f"),
          act("Undo", "undone", "u"),
        ]),
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
    if (isAnother) {
      document.title = `${headline(shown).slice(0, 80)} – LogGuardian`;
      scrollTo(0, 0);
    }
  }

  feedback.onSaid((id) => {
    if (shown?.id === id) void load(id);
  });

  /** @param {number} step */
  function move(step) {
    const all = store.list();
    const place = all.findIndex(({ id }) => id === wanted);
    const next = all[place === -1 ? 0 : place + step];
    if (next !== undefined) page.go({ view: "anomaly", name: next.id });
  }

  return {
    element,
    /** @param {import("../address.js").Place} place */
    show: ({ name = "" }) => void load(name),
    update() {},
    leave() {
      document.title = "LogGuardian";
      wanted = "";
    },
    /** @param {any} anomaly */
    onAnomaly(anomaly) {
      if (anomaly.id === wanted) void load(wanted);
    },
    keys: {
      ...feedback.keys(() => shown),
      u: () => void feedback.undo(shown),
      j: () => move(1),
      k: () => move(-1),
      m: () => lines.toggle(),
      n: () => lines.next(),
      Escape: () => page.go({ view: "anomalies" }),
    },
  };
}
