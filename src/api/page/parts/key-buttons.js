import { h, key } from "../dom.js";

const labels = { c: "Confirm", f: "False alarm", F: "Say more", u: "Undo" };

/**
 * Does what a view's keys do, for whoever has none at hand.
 * @param {string} label @param {import("../keyboard.js").Keys} keys @param {(keyof typeof labels)[]} names
 */
export function createKeyButtons(label, keys, names) {
  return h(
    "div",
    { class: "actions", role: "group", "aria-label": label },
    names.map((name) =>
      h(
        "button",
        {
          type: "button",
          onclick: () => keys[name]?.(),
          "aria-keyshortcuts": name === "F" ? "Shift+F" : name,
        },
        labels[name],
        " ",
        key(name),
      ),
    ),
  );
}
