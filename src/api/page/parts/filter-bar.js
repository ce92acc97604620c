import { button, fill, h } from "../dom.js";
import { dateTime, visible } from "../words.js";

const times = {
  "": "Any time",
  "15m": "Last 15 minutes",
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
};
const verdicts = {
  "": "Anomalous, undecided",
  anomalous: "Anomalous",
  undecided: "Undecided",
  normal: "Withdrawn",
};
const saids = {
  "": "Said or not",
  none: "Nothing said",
  confirmed: "Confirmed",
  "false-alarm": "False alarm",
};

/** Chooses which anomalies are shown; the choice stands in the address. @param {import("../app.js").Page} page */
export function createFilterBar(page) {
  const { store } = page;
  /** @param {keyof import("../address.js").Filter} name @param {string} label @param {Record<string, string>} choices */
  const choice = (name, label, choices) => {
    const select = h("select", {
      id: `filter-${name}`,
      onchange: () => page.narrow({ [name]: select.value }),
    });
    offer(select, choices);
    return { name, select, element: h("label", { for: `filter-${name}` }, h("span", {}, label), select) };
  };
  const pipeline = choice("pipeline", "Pipeline", { "": "All" });
  const origin = choice("origin", "Origin", { "": "All" });
  const last = choice("last", "Time", times);
  const verdict = choice("verdict", "Verdict", verdicts);
  const said = choice("feedback", "Feedback", saids);
  const choices = [pipeline, origin, last, verdict, said];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  const search = h("input", {
    id: "filter-text",
    type: "search",
    placeholder: "Text in lines, origins, ids",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(() => page.narrow({ text: search.value }), 200);
    },
  });
  const chips = h("div", { class: "chips" });
  const element = h(
    "form",
    {
      class: "filter",
      role: "search",
      "aria-label": "Filter",
      onsubmit: (/** @type {Event} */ event) => event.preventDefault(),
    },
    h("label", { for: "filter-text", class: "wide" }, h("span", {}, "Search"), search),
    choices.map((one) => one.element),
    chips,
  );

  function update() {
    const { filter } = page.place();
    offerNames(pipeline.select, store.known.pipelines, filter.pipeline);
    offerNames(origin.select, store.known.origins, filter.origin);
    for (const { name, select } of choices) select.value = filter[name] ?? "";
  }

  return {
    element,
    update,
    focus() {
      search.focus();
      search.select();
    },
    /** @param {import("../address.js").Place} place */
    show({ view, filter }) {
      element.hidden = view === "anomaly" || view === "group";
      const isList = view === "anomalies";
      for (const { element, name } of choices)
        element.hidden = !isList && !(view === "groups" && (name === "pipeline" || name === "last"));
      if (document.activeElement !== search) search.value = filter.text ?? "";
      update();
      const { from, to } = filter;
      fill(
        chips,
        (from !== undefined || to !== undefined) &&
          button(
            `${from === undefined ? "…" : dateTime(from)} – ${to === undefined ? "…" : dateTime(to)} UTC ×`,
            () => page.narrow({ from: undefined, to: undefined }),
            { class: "chip", "aria-label": "Remove the time range" },
          ),
        Object.keys(filter).length > 0 &&
          button("Clear filters", () => page.go({ view: page.place().view, filter: {} }), { class: "plain" }),
      );
    },
  };
}

/** @param {any} select @param {Set<any>} names @param {string | undefined} chosen */
function offerNames(select, names, chosen) {
  const all = new Set(chosen === undefined ? names : [...names, chosen]);
  if (select.options.length === all.size + 1) return;
  offer(select, {
    "": "All",
    ...Object.fromEntries([...all].sort().map((name) => [name, visible(name).slice(0, 80)])),
  });
}

/** @param {any} select @param {Record<string, string>} choices */
function offer(select, choices) {
  fill(
    select,
    Object.entries(choices).map(([value, label]) => h("option", { value }, label)),
  );
}
