import { figure, short } from "../../evaluate/report/format.ts";
import { dot, escaped, line, linear, text } from "../../evaluate/report/svg.ts";
import type { DataSetReport, MethodReport } from "../benchmark.ts";
import { placeNames } from "./label-places.ts";
import { shownViews, viewOf } from "./tables.ts";

const rowHeight = 30;
const [left, right, width] = [330, 900, 930];
/** Colours of the style sheet, by view; shapes tell them apart too. */
export const viewColours = ["one", "two", "three"] as const;

/** F1 of every method in each view of the data. */
export function qualityChart({ name, methods }: DataSetReport): string {
  const shown = methods.filter(({ views }) => views !== null);
  const x = linear([0, 1], [left, right]);
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((at) => ({ at: x(at), label: at.toFixed(1) }));
  return rows(`F1 by method on ${name}.`, shown, ticks, (method, y) =>
    shownViews.flatMap((view, place) => {
      const f1 = viewOf(method, view.name)?.metrics.f1 ?? null;
      if (f1 === null) return [];
      // Side by side, so that equal figures do not hide each other.
      return mark(x(f1), y + (place - 1) * 7, place, `${method.name}, ${view.name}: F1 ${figure(f1)}`);
    }),
  );
}

/** Lines a second of every method; logarithmic. */
export function speedChart({ name, methods }: DataSetReport): string {
  const scale = speedScale(methods);
  const x = linear([scale.from, scale.to], [left, right]);
  const ticks = scale.decades.map((at) => ({ at: x(at), label: decade(at) }));
  return rows(`Lines a second by method on ${name}.`, methods, ticks, (method, y) => {
    const { linesPerSecond, extrapolatedSeconds } = method.speed;
    if (linesPerSecond === null) return [];
    const end = x(Math.log10(linesPerSecond));
    const about = extrapolatedSeconds === null ? "" : "about ";
    const hint = `${method.name}: ${about}${short(linesPerSecond)} lines a second`;
    return [line(left, y, end, y, "whisker"), ...mark(end, y, 0, hint)];
  });
}

const plot = { left: 52, right: 900, top: 14, bottom: 330, height: 380 };

/** Quality against speed: what is above and to the right of another method is better in both. */
export function tradeOffChart({ name, methods }: DataSetReport): string {
  const shown = methods.flatMap((method) => {
    const f1 = viewOf(method, "all windows")?.metrics.f1 ?? null;
    const speed = method.speed.linesPerSecond;
    return f1 === null || speed === null ? [] : [{ method, f1, speed }];
  });
  const scale = speedScale(shown.map(({ method }) => method));
  const x = linear([scale.from, scale.to], [plot.left, plot.right]);
  const y = linear([0, 1], [plot.bottom, plot.top]);
  const points = shown.map((one) => ({
    ...one,
    name: one.method.name,
    x: x(Math.log10(one.speed)),
    y: y(one.f1),
  }));
  const names = placeNames(points, plot);
  return [
    `<svg viewBox="0 0 ${width} ${plot.height}" role="img" aria-label="${escaped(`F1 against lines a second on ${name}.`)}">`,
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((at) => [
      line(plot.left, y(at), plot.right, y(at), "grid"),
      text(plot.left - 8, y(at) + 4, String(at), "tick end"),
    ]),
    ...scale.decades.flatMap((at) => [
      line(x(at), plot.bottom, x(at), plot.bottom + 4, "axis"),
      text(x(at), plot.bottom + 18, decade(at), "tick middle"),
    ]),
    line(plot.left, plot.bottom, plot.right, plot.bottom, "axis"),
    text((plot.left + plot.right) / 2, plot.height - 8, "lines a second (logarithmic)", "name middle"),
    // Behind all dots.
    ...points.flatMap((point, place) => {
      const at = names[place];
      return at?.moved ? [line(point.x, point.y, at.x, at.y, "reference")] : [];
    }),
    ...points.flatMap(({ name, f1, speed, ...point }, place) => {
      const at = names[place];
      const label =
        at === undefined ? [] : [text(at.x, at.y + 4, name, at.side === "left" ? "note end" : "note")];
      return [
        dot(point.x, point.y, "mark", `${name}: F1 ${figure(f1)}, ${short(speed)} lines a second`),
        ...label,
      ];
    }),
    "</svg>",
  ].join("\n");
}

/** 1,000,000 would not fit under the last tick. */
function decade(power: number): string {
  return (10 ** power).toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 6 });
}

function speedScale(methods: readonly MethodReport[]): { from: number; to: number; decades: number[] } {
  const powers = methods.flatMap(({ speed: { linesPerSecond: speed } }) =>
    speed === null || speed === 0 ? [] : [Math.log10(speed)],
  );
  const from = Math.floor(Math.min(3, ...powers));
  const to = Math.max(from + 1, Math.ceil(Math.max(...powers, from)));
  return { from, to, decades: Array.from({ length: to - from + 1 }, (_, step) => from + step) };
}

/** A row for each method, named on the left, over a grid. */
function rows(
  title: string,
  methods: readonly MethodReport[],
  ticks: readonly { at: number; label: string }[],
  draw: (method: MethodReport, y: number) => string[],
): string {
  const height = methods.length * rowHeight + 34;
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    ...ticks.map(({ at }) => line(at, 4, at, height - 28, "grid")),
    ...methods.flatMap((method, place) => {
      const y = place * rowHeight + 20;
      return [text(left - 12, y + 4, method.name, "name end"), ...draw(method, y)];
    }),
    ...ticks.map(({ at, label }) => text(at, height - 12, label, "tick middle")),
    "</svg>",
  ].join("\n");
}

/** A circle, a square, a diamond: not by colour alone. */
function mark(x: number, y: number, view: number, hint: string): string[] {
  const title = `<title>${escaped(hint)}</title>`;
  const at = `${Math.round(x * 100) / 100} ${y}`;
  const colour = viewColours[view] ?? "one";
  if (view === 0)
    return [
      `<circle class="fill-mark ${colour}" cx="${at.split(" ")[0]}" cy="${y}" r="5.5">${title}</circle>`,
    ];
  const turned = view === 2 ? " rotate(45)" : "";
  return [
    `<rect class="fill-mark ${colour}" transform="translate(${at})${turned}" x="-4.5" y="-4.5" width="9" height="9">${title}</rect>`,
  ];
}
