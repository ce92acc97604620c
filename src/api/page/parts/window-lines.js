/** A window's lines in their order, each shaded by its weight. */
import { button, fill, h, key } from "../dom.js";
import { clock, count, dateTime, signed, visible } from "../words.js";

/** Shown at first, and more at a time: a window has 128 lines at most by default, a session may have thousands. */
const atOnce = 500;
/** What is longer is cut until somebody asks: 8 kB in one line would push all others out of sight. */
const mostCharacters = 600;

/** @param {() => void} onForm raw or masked was chosen */
export function createWindowLines(onForm) {
  /** @type {any[]} */
  let lines = [];
  let heaviest = 1;
  /** Of the first line: said once, above. */
  let topic = "";
  /** Beyond so many nobody has looked. */
  let judged = 0;
  let shown = atOnce;
  let isMasked = false;
  let isHeavyOnly = false;
  const rows = h("ol", { class: "lines" });
  const more = h("p", { class: "more" });
  const summary = h("p", { class: "quiet" });
  const masked = h(
    "button",
    { type: "button", "aria-pressed": "false", "aria-keyshortcuts": "m", onclick: () => toggle() },
    "Masked ",
    key("m"),
  );
  const heavyOnly = h(
    "button",
    { type: "button", "aria-pressed": "false", onclick: () => onlyHeavy() },
    "Only lines that weigh",
  );
  const element = h(
    "section",
    { class: "window", "aria-labelledby": "lines-title" },
    h(
      "div",
      { class: "title" },
      h("h2", { id: "lines-title" }, "Lines"),
      summary,
      h("div", { class: "actions" }, heavyOnly, masked),
    ),
    rows,
    more,
  );

  const isHeavy = (/** @type {any} */ { weight = 0 }) => weight > 0 && weight >= heaviest / 4;

  /** @param {any} line @param {number} place */
  function rowOf(line, place) {
    const { weight, time, position } = line;
    const share = Math.max(0, weight ?? 0) / heaviest;
    const origin = originOf(line);
    const isSame = place > 0 && originOf(lines[place - 1]) === origin;
    return h(
      "li",
      {
        "data-heavy": isHeavy(line),
        style: { "--share": share.toFixed(3) },
        value: place + 1,
        tabindex: "-1",
      },
      h("span", { class: "place", "aria-hidden": "true" }, String(place + 1)),
      h("time", { datetime: time, title: `${dateTime(time)} UTC` }, clock(time)),
      h(
        "span",
        { class: "weight" },
        weight === undefined ? "" : h("span", {}, h("span", { class: "unseen" }, "weight "), signed(weight)),
      ),
      textOf(visible(isMasked ? line.masked : line.text)),
      h("span", { class: "source", title: visible(`${origin} ${position}`) }, [
        !isSame && h("bdi", { class: "from" }, visible(origin)),
        h("bdi", {}, visible(position.startsWith(`${topic}:`) ? position.slice(topic.length + 1) : position)),
      ]),
    );
  }

  /** @param {string} text */
  function textOf(text) {
    const element = h("code", {}, text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text);
    if (text.length > mostCharacters) {
      const whole = button(
        `Show all ${text.length.toLocaleString("en")} characters`,
        () => fill(element, text),
        { class: "plain" },
      );
      element.append(" ", whole);
    }
    return element;
  }

  function draw() {
    const wanted = lines
      .map((line, place) => ({ line, place }))
      .filter(({ line }) => !isHeavyOnly || isHeavy(line));
    fill(
      rows,
      wanted.slice(0, shown).map(({ line, place }) => rowOf(line, place)),
    );
    const left = wanted.length - shown;
    fill(
      more,
      left > 0 &&
        button(`Show ${Math.min(left, atOnce)} of ${count(left, "more line")}`, () => {
          shown += atOnce;
          draw();
        }),
    );
    masked.setAttribute("aria-pressed", String(isMasked));
    heavyOnly.setAttribute("aria-pressed", String(isHeavyOnly));
    const heavy = lines.filter(isHeavy).length;
    fill(
      summary,
      heavy === 0
        ? countTold()
        : `${countTold()}; ${heavy === 1 ? "one of them makes" : `${heavy} of them make`} the verdict, `,
      heavy > 0 && button("the next", () => next(), { class: "plain", "aria-keyshortcuts": "n" }),
      heavy > 0 && " ",
      heavy > 0 && key("n"),
      h("span", { class: "positions" }, `at the right partition:offset:index in ${visible(topic)}`),
    );
  }

  function countTold() {
    const all = count(lines.length, "line");
    return judged < lines.length ? `${all}, the first ${judged} judged` : all;
  }

  function toggle() {
    isMasked = !isMasked;
    draw();
    onForm();
  }

  function onlyHeavy() {
    isHeavyOnly = !isHeavyOnly;
    draw();
  }

  /** To the next line that weighs, behind the one where one is. */
  function next() {
    const last = lines.findLastIndex(isHeavy);
    if (last >= shown) {
      shown = last + 1;
      draw();
    }
    const heavy = /** @type {HTMLElement[]} */ ([...rows.querySelectorAll("[data-heavy]")]);
    const at = heavy.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const row = heavy[(at + 1) % heavy.length];
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "center" });
  }

  return {
    element,
    /** @param {any[]} given @param {number} scored so many of them, from the first, were judged */
    show(given, scored) {
      lines = given;
      judged = scored;
      topic = lines[0]?.position.replace(/(:\d+){3}$/, "") ?? "";
      heaviest = Math.max(...lines.map(({ weight = 0 }) => weight), Number.EPSILON);
      shown = atOnce;
      isHeavyOnly = false;
      draw();
    },
    form: () => (isMasked ? "masked" : "text"),
    toggle,
    next,
  };
}

/** @param {any} line */
function originOf({ host, pod, container, file }) {
  return [host, pod, container, file].filter((one) => one !== undefined).join(" ");
}
