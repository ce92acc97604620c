/** Wires the page: what the address names is shown, with what the store holds. */
import { addressOf, placeIn } from "./address.js";
import { createApi } from "./api.js";
import { createFeedback } from "./feedback.js";
import { createFrame } from "./frame.js";
import { createHelp, listenToKeys } from "./keyboard.js";
import { listen } from "./live.js";
import { createTokenDialog } from "./parts/token-dialog.js";
import { createStore } from "./store.js";
import { createTheme } from "./theme.js";
import { createAnomaliesView } from "./views/anomalies.js";
import { createAnomalyView } from "./views/anomaly.js";
import { createGroupView } from "./views/group.js";
import { createGroupsView } from "./views/groups.js";

const api = createApi({ askForToken: createTokenDialog() });
const store = createStore(api);
const theme = createTheme();
const help = createHelp();
const feedback = createFeedback({ api, store });

const page = {
  api,
  store,
  feedback,
  place: () => placeIn(location.hash),
  /** @param {Partial<import("./address.js").Place>} to */
  go(to) {
    location.hash = page.addressOf(to);
  },
  /** Of a place with the filter of this one, where no other is named. @param {Partial<import("./address.js").Place>} to */
  addressOf: (to) => addressOf({ view: "anomalies", filter: page.place().filter, ...to }),
  /** @param {{ [name in keyof import("./address.js").Filter]: string | undefined }} part undefined takes a part away */
  narrow(part) {
    const { view, name, filter } = page.place();
    const wanted = Object.fromEntries(Object.entries({ ...filter, ...part }).filter(([, value]) => value));
    page.go({ view, ...(name === undefined ? {} : { name }), filter: wanted });
  },
};
/** @typedef {typeof page} Page */

const views = {
  anomalies: createAnomaliesView(page),
  anomaly: createAnomalyView(page),
  groups: createGroupsView(page),
  group: createGroupView(page),
};
const frame = createFrame({ page, theme, help });
/** @type {typeof views[keyof typeof views] | undefined} */
let shown;

function show() {
  const place = page.place();
  const view = views[place.view];
  frame.show(place);
  store.show(place.filter);
  if (shown !== view) {
    shown?.leave?.();
    frame.main.replaceChildren(view.element);
    shown = view;
  }
  view.show(place);
}

/** @type {HTMLElement} */ (document.getElementById("app")).replaceChildren(
  frame.header,
  frame.main,
  feedback.toast,
  feedback.dialog,
  help.dialog,
);
// Followed, its address would be taken for a view's.
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  frame.main.focus();
});
store.onChange(() => {
  frame.update();
  shown?.update?.();
});
addEventListener("hashchange", show);
listenToKeys({
  "?": () => help.toggle(),
  t: () => theme.next(),
  a: () => page.go({ view: "anomalies" }),
  g: () => page.go({ view: page.place().view === "groups" ? "anomalies" : "groups" }),
  "/": () => frame.focusSearch(),
  u: () => feedback.undo(),
  of: () => shown?.keys ?? {},
});
listen(api, {
  onAnomaly: (anomaly) => {
    store.put(anomaly);
    shown?.onAnomaly?.(anomaly);
  },
  onReset: store.reload,
  onState: frame.showConnection,
});
show();
