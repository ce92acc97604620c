/** What a person says of an anomaly, in one key press, and how it is taken back. */
import { button, fill, h, key } from "./dom.js";
import { headline } from "./words.js";

const toastForMs = 12_000;
const told = {
  confirmed: "Confirmed.",
  "false-alarm": "False alarm: its fingerprint alerts nobody until another bundle judges.",
  undone: "Taken back: as if nothing had been said.",
};

/** @typedef {keyof typeof told} Judgement */

/** @param {{ api: ReturnType<typeof import("./api.js").createApi>, store: ReturnType<typeof import("./store.js").createStore> }} deps */
export function createFeedback({ api, store }) {
  const toast = h("div", { class: "toast", role: "status", "aria-live": "polite" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let hiding;
  /** What was said last, to be taken back. @type {any} */
  let newest;

  /** @param {...import("./dom.js").Child} children */
  function show(...children) {
    fill(toast, ...children);
    toast.classList.add("shown");
    clearTimeout(hiding);
    // It stays while somebody is at its button.
    hiding = setTimeout(function hide() {
      if (toast.matches(":hover, :focus-within")) hiding = setTimeout(hide, 1000);
      else toast.classList.remove("shown");
    }, toastForMs);
  }

  /** @param {any} anomaly @param {Judgement} judgement */
  async function say(anomaly, judgement) {
    if (anomaly === undefined)
      return show("Nothing is selected: choose one with ", key("j"), " and ", key("k"), ".");
    try {
      const { feedback } = await api.post(`anomalies/${anomaly.id}/feedback`, { judgement });
      newest = judgement === "undone" ? undefined : anomaly;
      const held = store.get(anomaly.id) ?? anomaly;
      store.put({ ...held, feedback });
      for (const listener of listeners) listener(anomaly.id, feedback);
      show(
        h(
          "span",
          {},
          h("strong", {}, told[judgement]),
          " ",
          h("span", { class: "quoted" }, headline(anomaly)),
        ),
        judgement !== "undone" && button("Undo", () => undo(), { class: "undo", "aria-keyshortcuts": "u" }),
      );
    } catch (thrown) {
      show(h("strong", {}, "Not saved."), ` ${/** @type {Error} */ (thrown).message}`);
    }
  }

  /** @param {any} [anomaly] the one last spoken of, where none is given */
  async function undo(anomaly = newest) {
    if (anomaly === undefined) return show("There is nothing to take back.");
    await say(anomaly, "undone");
  }

  /** @type {Set<(id: string, feedback: any) => void>} */
  const listeners = new Set();
  return {
    toast,
    say,
    undo,
    show,
    /** @param {(id: string, feedback: any) => void} listener */
    onSaid: (listener) => void listeners.add(listener),
    /** Keys of a view. @param {() => any} selected */
    keys: (selected) => ({
      c: () => void say(selected(), "confirmed"),
      f: () => void say(selected(), "false-alarm"),
      u: () => void undo(selected()?.feedback ? selected() : undefined),
    }),
  };
}
