/** Single keys, as long as nobody types; and the list of them. */
import { button, h, key } from "./dom.js";

const offName = "logguardian.keys";
const isOff = () => localStorage.getItem(offName) === "off";

/** @typedef {Record<string, () => void>} Keys */

/** @param {any} global keys of every view; `of()` gives those of the view that is shown, which come first */
export function listenToKeys({ of, ...global }) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") !== null) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("input, select, textarea") !== null) {
      if (event.key === "Escape") target.blur();
      return;
    }
    // It means what it means everywhere: the link is followed, the button pressed.
    if (event.key === "Enter" && target.closest("a, button") !== null) return;
    if (isOff() && event.key !== "Escape") return;
    const act = of()[event.key] ?? global[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

const explained = /** @type {const} */ ([
  [["j", "k"], "next, previous anomaly or group"],
  [["Enter"], "open it"],
  [["Esc"], "back to the list; out of a field"],
  [["c"], "it is one: confirm it"],
  [["f"], "false alarm: its fingerprint alerts nobody any more"],
  [["F"], "say more: a note, and until when"],
  [["u"], "undo what was said"],
  [["m"], "lines as they were written, or as the model sees them"],
  [["n"], "next line that weighs"],
  [["a"], "anomalies"],
  [["g"], "groups, and back"],
  [["/"], "look for text"],
  [["t"], "light, dark, or as the system has it"],
  [["?"], "this list"],
]);

export function createHelp() {
  const switchedOff = h("input", {
    type: "checkbox",
    id: "keys-on",
    onchange: () => localStorage.setItem(offName, switchedOff.checked ? "on" : "off"),
  });
  switchedOff.checked = !isOff();
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "help-title" },
    h("h2", { id: "help-title" }, "Keys"),
    h(
      "dl",
      { class: "keys" },
      explained.flatMap(([keys, what]) => [h("dt", {}, keys.map(key)), h("dd", {}, what)]),
    ),
    h("p", {}, h("label", { for: "keys-on" }, switchedOff, " Single keys work")),
    h(
      "p",
      { class: "quiet" },
      "In the timeline, arrow keys move between cells. A bar's height and colour say how far a score is above its threshold.",
    ),
    h(
      "div",
      { class: "actions" },
      button("Close", () => dialog.close(), { class: "primary" }),
    ),
  );
  dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "?") dialog.close();
  });
  return {
    dialog,
    toggle: () => (dialog.open ? dialog.close() : dialog.showModal()),
  };
}
