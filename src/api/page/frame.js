/** What stands around every view: name, rooms, filter, connection, theme, help. */
import { button, fill, h, key } from "./dom.js";
import { createFilterBar } from "./parts/filter-bar.js";

/** @param {{ page: import("./app.js").Page, theme: any, help: any }} deps */
export function createFrame({ page, theme, help }) {
  const { store, api } = page;
  const filterBar = createFilterBar(page);
  const rooms = h("nav", { "aria-label": "Views" });
  const connection = h("span", { class: "connection", role: "status" });
  const themeButton = button("", () => theme.next(), { class: "plain" });
  const tokenButton = button(
    "Forget token",
    () => {
      api.forgetToken();
      location.reload();
    },
    { class: "plain", hidden: true },
  );
  const header = h(
    "header",
    { class: "top" },
    h(
      "a",
      { class: "brand", href: "#/anomalies" },
      h("span", { class: "mark", "aria-hidden": "true" }),
      "LogGuardian",
    ),
    rooms,
    h("div", { class: "tools" }, [
      connection,
      tokenButton,
      themeButton,
      button("Keys", () => help.toggle(), { class: "plain", "aria-keyshortcuts": "?" }),
    ]),
  );
  header.querySelector(".tools button:last-child").append(" ", key("?"));
  const main = h("main", { id: "main", tabindex: "-1" });

  function showTheme() {
    fill(themeButton, `Theme: ${theme.chosen()}`);
  }
  theme.onChange(showTheme);
  showTheme();

  return {
    header: h("div", { class: "frame" }, header, filterBar.element),
    main,
    /** @param {import("./address.js").Place} place */
    show(place) {
      const isGroups = place.view === "groups" || place.view === "group";
      const room = (/** @type {string} */ name, /** @type {any} */ view, /** @type {boolean} */ isHere) =>
        h("a", { href: page.addressOf({ view }), "aria-current": isHere ? "page" : undefined }, name);
      fill(rooms, room("Anomalies", "anomalies", !isGroups), room("Groups", "groups", isGroups));
      filterBar.show(place);
      tokenButton.hidden = !api.hasToken();
    },
    update() {
      filterBar.update();
      tokenButton.hidden = !api.hasToken();
    },
    focusSearch: filterBar.focus,
    /** @param {"live" | "lost"} state */
    showConnection(state) {
      if (connection.dataset.state === state) return;
      if (connection.dataset.state === "lost" && store.state.error !== undefined) store.reload();
      connection.dataset.state = state;
      fill(connection, state === "live" ? "● Live" : "○ Disconnected, trying again");
    },
  };
}
