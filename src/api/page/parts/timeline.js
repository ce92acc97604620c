/** The swimlane: origins by time, each cell as high and as strong as its score. The list below it says the same in words. */
import { button, fill, h } from "../dom.js";
import { lanesOf, ticksOf } from "../lanes.js";
import { clock, count, dateTime, fixed, headline, visible } from "../words.js";

const laneHeight = 30;
const axisHeight = 26;
const cellWidth = 12;
const gap = 2;

/** @param {import("../app.js").Page} page */
export function createTimeline(page) {
  /** @type {any[]} */
  let anomalies = [];
  /** @type {ReturnType<typeof lanesOf> | undefined} */
  let layout;
  let focused = -1;
  let columns = 1;
  const labels = h("ol", { class: "lanes" });
  const canvas = h("canvas", { role: "img" });
  const tip = h("div", { class: "tip", hidden: true });
  const said = h("p", { class: "unseen", "aria-live": "polite" });
  const stage = h(
    "div",
    {
      class: "stage",
      role: "application",
      tabindex: "0",
      "aria-label": "Timeline of origins. Arrow keys move between cells with anomalies, Enter shows them.",
    },
    canvas,
    tip,
  );
  const element = h(
    "section",
    { class: "timeline", "aria-labelledby": "timeline-title" },
    h(
      "div",
      { class: "title" },
      h("h2", { id: "timeline-title" }, "Origins by time"),
      h(
        "p",
        { class: "legend quiet" },
        h("span", { class: "scale", "aria-hidden": "true" }, h("i"), h("i"), h("i"), h("i")),
        "just above the threshold to certain",
        h("span", { class: "hollow", "aria-hidden": "true" }),
        "false alarm",
        h("span", { class: "hatched", "aria-hidden": "true" }),
        "undecided",
      ),
    ),
    h("div", { class: "plot" }, labels, stage),
    said,
  );

  function lay() {
    const { filter } = page.place();
    columns = Math.max(10, Math.floor(stage.clientWidth / cellWidth));
    layout = lanesOf(anomalies, columns, {
      from: filter.from === undefined ? undefined : Date.parse(filter.from),
      to: filter.to === undefined ? undefined : Date.parse(filter.to),
    });
    focused = Math.min(focused, layout.cells.length - 1);
    fill(
      labels,
      layout.lanes.map(({ name, count: windows, others }) =>
        h(
          "li",
          {},
          name === undefined
            ? h("span", { class: "quiet" }, count(others, "more origin"))
            : button(
                visible(name),
                () => page.narrow({ origin: name === filter.origin ? undefined : name }),
                {
                  title: visible(name),
                  "aria-pressed": String(name === filter.origin),
                },
              ),
          h("span", { class: "quiet" }, windows.toLocaleString("en")),
        ),
      ),
    );
    canvas.setAttribute(
      "aria-label",
      `${count(anomalies.length, "anomaly", "anomalies")} of ${count(layout.lanes.length, "origin")} from ${dateTime(layout.from)} to ${dateTime(layout.to)} UTC; the list below holds each.`,
    );
    draw();
  }

  function draw() {
    if (layout === undefined || stage.clientWidth === 0) return;
    const { lanes, cells, from, to } = layout;
    const [width, height] = [stage.clientWidth, lanes.length * laneHeight + axisHeight];
    const scale = devicePixelRatio;
    Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
    canvas.style.setProperty("--height", `${height}px`);
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const style = getComputedStyle(element);
    /** @param {string} name */
    const colour = (name) => style.getPropertyValue(name).trim();
    pen.scale(scale, scale);
    pen.font = `12px ${style.fontFamily}`;

    pen.fillStyle = colour("--rule");
    for (let lane = 0; lane <= lanes.length; lane++) pen.fillRect(0, lane * laneHeight, width, 1);
    const { step, ticks } = ticksOf(from, to, Math.max(2, Math.floor(width / 110)));
    for (const time of ticks) {
      const x = Math.round(((time - from) / (to - from)) * width);
      pen.fillStyle = colour("--rule");
      pen.fillRect(x, 0, 1, lanes.length * laneHeight + 5);
      const text = tickText(time, step);
      pen.fillStyle = colour("--quiet");
      pen.fillText(text, Math.min(Math.max(0, x + 4), width - pen.measureText(text).width), height - 8);
    }

    const strengths = ["--heat-1", "--heat-2", "--heat-3", "--heat-4"].map(colour);
    const step1 = width / columns;
    for (const [place, cell] of cells.entries()) {
      const { lane, column, strength, isUndecided, isFalseAlarm } = cell;
      const tall = Math.round((laneHeight - 7) * (isUndecided ? 0.5 : 0.35 + 0.65 * strength));
      const [x, y, wide] = [column * step1, (lane + 1) * laneHeight - 3 - tall, Math.max(2, step1 - gap)];
      pen.fillStyle = strengths[Math.min(3, Math.floor(strength * 4))] ?? "";
      pen.strokeStyle = isUndecided ? colour("--quiet") : pen.fillStyle;
      pen.lineWidth = 1.5;
      if (isUndecided) hatch(pen, x, y, wide, tall);
      else if (isFalseAlarm) pen.strokeRect(x + 1, y + 1, wide - 2, tall - 2);
      else pen.fillRect(x, y, wide, tall);
      if (place !== focused) continue;
      pen.strokeStyle = colour("--ink");
      pen.lineWidth = 2;
      pen.strokeRect(x - 1, lane * laneHeight + 2, wide + 2, laneHeight - 4);
    }
  }

  /** @param {number} place @param {boolean} isSpoken */
  function point(place, isSpoken) {
    if (place === focused && !tip.hidden) return;
    focused = place;
    draw();
    const cell = layout?.cells[place];
    tip.hidden = cell === undefined;
    if (cell === undefined || layout === undefined) return;
    const { lane, column } = cell;
    const words = told(cell);
    fill(tip, h("strong", {}, words[0] ?? ""), ...words.slice(1).map((one) => h("span", {}, one)));
    const x = ((column + 0.5) / columns) * stage.clientWidth;
    tip.style.setProperty("--x", `${Math.min(Math.max(x, 170), stage.clientWidth - 170)}px`);
    tip.style.setProperty("--y", `${(lane + 1) * laneHeight + 4}px`);
    if (isSpoken) fill(said, words.join(". "));
  }

  /** @param {import("../lanes.js").Cell} cell */
  function told({ anomalies: [first, ...more], isUndecided }) {
    const all = [first, ...more];
    const strongest = all.reduce((best, one) => ((one.score ?? 0) > (best.score ?? 0) ? one : best));
    const origins = new Set(all.map(({ origin }) => origin));
    const last = all.at(-1);
    return [
      origins.size === 1 ? visible(first.origin) : count(origins.size, "origin"),
      `${dateTime(last.end)}${more.length > 0 ? ` to ${clock(first.end)}` : ""} UTC`,
      `${count(all.length, "anomaly", "anomalies")}, ${isUndecided ? "undecided" : `highest score ${fixed(strongest.score)}`}`,
      headline(strongest),
    ];
  }

  /** One is opened, several are listed. @param {number} place */
  function open(place) {
    const cell = layout?.cells[place];
    if (cell === undefined) return;
    const [first] = cell.anomalies;
    const last = cell.anomalies.at(-1);
    if (cell.anomalies.length === 1) return page.go({ view: "anomaly", name: first.id });
    const isOne = layout?.lanes[cell.lane]?.name !== undefined;
    page.narrow({
      ...(isOne ? { origin: first.origin } : {}),
      from: last.end,
      to: first.end,
      last: undefined,
    });
  }

  /** @param {MouseEvent} event */
  function placeAt({ offsetX, offsetY }) {
    const [lane, column] = [
      Math.floor(offsetY / laneHeight),
      Math.floor((offsetX / stage.clientWidth) * columns),
    ];
    return layout?.cells.findIndex((cell) => cell.lane === lane && Math.abs(cell.column - column) <= 0) ?? -1;
  }
  canvas.addEventListener("mousemove", (/** @type {MouseEvent} */ event) => point(placeAt(event), false));
  canvas.addEventListener("mouseleave", () => point(-1, false));
  canvas.addEventListener("click", (/** @type {MouseEvent} */ event) => open(placeAt(event)));
  stage.addEventListener("blur", () => point(-1, false));
  stage.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const cells = layout?.cells ?? [];
    const at = cells[focused];
    /** @type {Record<string, () => number>} */
    const moves = {
      ArrowRight: () => Math.min(cells.length - 1, focused + 1),
      ArrowLeft: () => Math.max(0, focused - 1),
      ArrowDown: () => inLane((at?.lane ?? -1) + 1, at?.column ?? 0),
      ArrowUp: () => inLane((at?.lane ?? 1) - 1, at?.column ?? 0),
      Home: () => 0,
      End: () => cells.length - 1,
    };
    const move = moves[event.key];
    if (move === undefined && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    if (move === undefined) open(focused);
    else point(move(), true);
  });

  /** The cell nearest in time in another lane. @param {number} lane @param {number} column */
  function inLane(lane, column) {
    const cells = layout?.cells ?? [];
    let best = focused;
    let distance = Number.POSITIVE_INFINITY;
    for (const [place, cell] of cells.entries()) {
      if (cell.lane !== lane || Math.abs(cell.column - column) >= distance) continue;
      [best, distance] = [place, Math.abs(cell.column - column)];
    }
    return best;
  }

  new ResizeObserver(() => anomalies.length > 0 && lay()).observe(stage);
  addEventListener("themechange", draw);

  return {
    element,
    /** @param {any[]} wanted the newest first */
    show(wanted) {
      anomalies = wanted;
      element.hidden = anomalies.length === 0;
      if (anomalies.length > 0) lay();
    },
  };
}

/** @param {number} time @param {number} step */
function tickText(time, step) {
  if (step < 60_000) return clock(time);
  const text = dateTime(time);
  return step >= 86_400_000 || time % 86_400_000 === 0 ? text.slice(5, 10) : text.slice(11, 16);
}

/** @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y @param {number} wide @param {number} tall */
function hatch(pen, x, y, wide, tall) {
  pen.strokeRect(x + 1, y + 1, wide - 2, tall - 2);
  pen.beginPath();
  for (let at = 3; at < tall; at += 4) {
    pen.moveTo(x, y + at);
    pen.lineTo(x + wide, y + at - 3);
  }
  pen.stroke();
}
