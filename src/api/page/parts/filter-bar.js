import { sinceOf } from "../address.js";
import { button, fill, h } from "../dom.js";
import { visible } from "../words.js";
import { createTimeField } from "./time-field.js";

const typedMs = { text: 200, time: 400 };

const times = {
  "": "Any time",
  "15m": "Last 15 minutes",
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  range: "From … to …",
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
  /**
   * @param {keyof import("../address.js").Filter} name @param {string} label @param {Record<string, string>} choices
   * @param {(value: string) => void} [choose]
   */
  const choice = (name, label, choices, choose = (value) => page.narrow({ [name]: value })) => {
    const select = h("select", { id: `filter-${name}`, onchange: () => choose(select.value) });
    offer(select, choices);
    return { name, select, element: h("label", { for: `filter-${name}` }, h("span", {}, label), select) };
  };
  const pipeline = choice("pipeline", "Pipeline", { "": "All" });
  const origin = choice("origin", "Origin", { "": "All" });
  const last = choice("last", "Time", times, (value) => {
    clearTimeout(choosing);
    isRange = value === "range";
    const since = isRange ? sinceOf(page.place().filter.last) : undefined;
    showRange();
    page.narrow({ last: isRange ? undefined : value, from: since, to: undefined });
  });
  /** Chosen, though no time may stand in it yet. */
  let isRange = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let choosing;
  /** @param {"from" | "to"} name @param {string} label */
  const timeField = (name, label) => {
    const field = createTimeField(`filter-${name}`, {
      oninput() {
        limitTimes();
        clearTimeout(choosing);
        choosing = setTimeout(() => {
          if (!field.input.reportValidity() || !from.input.checkValidity() || !to.input.checkValidity())
            return;
          page.narrow({ last: undefined, from: from.read(), to: to.read() });
        }, typedMs.time);
      },
    });
    return { ...field, name, element: h("label", {}, h("span", {}, label), field.input) };
  };
  const from = timeField("from", "From (UTC)");
  const to = timeField("to", "To (UTC)");
  function limitTimes() {
    from.allow({ to: to.read() });
    to.allow({ from: from.read() });
  }
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
      typing = setTimeout(() => page.narrow({ text: search.value }), typedMs.text);
    },
  });
  const clear = button(
    "Clear filters",
    () => {
      isRange = false;
      page.go({ view: page.place().view, filter: {} });
    },
    { class: "plain" },
  );
  const element = h(
    "form",
    {
      class: "filter",
      role: "search",
      "aria-label": "Filter",
      onsubmit: (/** @type {Event} */ event) => event.preventDefault(),
    },
    h("label", { for: "filter-text", class: "wide" }, h("span", {}, "Search"), search),
    [pipeline, origin, last, from, to, verdict, said].map((one) => one.element),
    clear,
  );

  function update() {
    const { filter } = page.place();
    offerNames(pipeline.select, store.known.pipelines, filter.pipeline);
    offerNames(origin.select, store.known.origins, filter.origin);
    for (const { name, select } of choices) select.value = filter[name] ?? "";
    if (isRange) last.select.value = "range";
  }

  function showRange() {
    from.element.hidden = to.element.hidden = last.element.hidden || !isRange;
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
      for (const { name, input, write } of [from, to])
        if (document.activeElement !== input) write(filter[name]);
      limitTimes();
      isRange =
        filter.last === undefined && (isRange || filter.from !== undefined || filter.to !== undefined);
      showRange();
      update();
      clear.hidden = Object.keys(filter).length === 0;
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
