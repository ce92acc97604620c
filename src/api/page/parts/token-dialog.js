import { h } from "../dom.js";

/** Asks for a token until one is given. @returns {(why: string) => Promise<string>} */
export function createTokenDialog() {
  const why = h("p", { role: "alert" });
  const field = h("input", {
    id: "token",
    type: "password",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": "token-help",
  });
  const form = h(
    "form",
    {},
    h("h2", { id: "token-title" }, "Token"),
    h(
      "p",
      { id: "token-help", class: "quiet" },
      "This API asks for a bearer token: api.token of its configuration, or one of api.tokens with the scope read. It stays in this tab until you close it.",
    ),
    why,
    h("label", { for: "token" }, "Bearer token"),
    field,
    h("div", { class: "actions" }, h("button", { class: "primary" }, "Go on")),
  );
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "token-title" }, form);
  // Without a token there is nothing to go back to.
  dialog.addEventListener("cancel", (/** @type {Event} */ event) => event.preventDefault());

  return (reason) =>
    new Promise((given) => {
      why.textContent = reason;
      why.hidden = reason === "";
      field.value = "";
      document.body.append(dialog);
      if (!dialog.open) dialog.showModal();
      form.onsubmit = (/** @type {Event} */ event) => {
        event.preventDefault();
        dialog.close();
        dialog.remove();
        given(field.value.trim());
      };
    });
}
