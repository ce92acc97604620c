import { button, fill, h } from "../dom.js";

const copiedForMs = 2000;

/** A command to copy. @param {string} label what it does @param {string} text @param {string} [note] */
export function createCommand(label, text, note) {
  const code = h("code", { tabindex: "0", "aria-label": label }, text);
  const copy = button("Copy", async () => {
    fill(copy, (await copied(text, code)) ? "Copied ✓" : "Selected: press Ctrl+C");
    setTimeout(() => fill(copy, "Copy"), copiedForMs);
  });
  copy.setAttribute("aria-label", `Copy the command: ${label}`);
  return h(
    "figure",
    { class: "command" },
    h(
      "figcaption",
      {},
      h("strong", {}, label),
      note !== undefined && h("span", { class: "quiet" }, ` ${note}`),
    ),
    h("div", {}, code, copy),
  );
}

/** Without HTTPS only pages of this machine may write to the clipboard. @param {string} text @param {Element} code */
async function copied(text, code) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return false;
  }
}
