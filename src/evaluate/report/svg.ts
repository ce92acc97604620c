/** Small pieces of SVG. Colours are classes of the page's style sheet, so that a picture is light or dark with its page. */

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Maps a stretch of values to a stretch of the picture. */
export type Scale = (value: number) => number;

export function linear([from, to]: [number, number], [left, right]: [number, number]): Scale {
  const width = to - from || 1;
  return (value) => left + ((value - from) / width) * (right - left);
}

export interface Tick {
  at: number;
  label: string;
}

export interface Frame {
  title: string;
  /** What a screen reader says. */
  description: string;
  x: { domain: [number, number]; ticks: Tick[]; label: string };
  y: { domain: [number, number]; ticks: Tick[]; label: string };
}

const size = { width: 480, height: 320 };
const margin = { left: 52, right: 16, top: 14, bottom: 46 };

export interface Plot {
  x: Scale;
  y: Scale;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Axes with a recessive grid; `draw` puts the marks on it. */
export function chart({ title, description, x, y }: Frame, draw: (plot: Plot) => string[]): string {
  const [left, right] = [margin.left, size.width - margin.right];
  const [top, bottom] = [margin.top, size.height - margin.bottom];
  const plot = {
    x: linear(x.domain, [left, right]),
    y: linear(y.domain, [bottom, top]),
    left,
    right,
    top,
    bottom,
  };
  const grid = [
    ...y.ticks.map(({ at }) => line(left, plot.y(at), right, plot.y(at), "grid")),
    ...x.ticks.map(({ at }) => line(plot.x(at), bottom, plot.x(at), bottom + 4, "axis")),
    line(left, bottom, right, bottom, "axis"),
  ];
  const labels = [
    ...y.ticks.map(({ at, label }) => text(left - 8, plot.y(at) + 4, label, "tick end")),
    ...x.ticks.map(({ at, label }) => text(plot.x(at), bottom + 18, label, "tick middle")),
    text((left + right) / 2, size.height - 8, x.label, "name middle"),
    `<text class="name middle" transform="rotate(-90)" x="${-(top + bottom) / 2}" y="14">${escaped(y.label)}</text>`,
  ];
  return [
    `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escaped(`${title}. ${description}`)}">`,
    ...grid,
    ...draw(plot),
    ...labels,
    "</svg>",
  ].join("\n");
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return `<line class="${className}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

export function text(x: number, y: number, content: string, className: string): string {
  return `<text class="${className}" x="${round(x)}" y="${round(y)}">${escaped(content)}</text>`;
}

export function path(points: readonly [number, number][], className: string): string {
  const steps = points.map(([x, y], place) => `${place === 0 ? "M" : "L"}${round(x)} ${round(y)}`);
  return `<path class="${className}" d="${steps.join("")}"/>`;
}

/** A mark with a sentence that shows when the pointer rests on it. */
export function dot(x: number, y: number, className: string, hint: string): string {
  return `<circle class="${className}" cx="${round(x)}" cy="${round(y)}" r="4.5"><title>${escaped(hint)}</title></circle>`;
}

/** A bar that stands on the base line, its upper corners round. */
export function bar(
  x: number,
  width: number,
  y: number,
  base: number,
  className: string,
  hint: string,
): string {
  const height = base - y;
  if (height <= 0) return "";
  const corner = Math.min(3, width / 2, height);
  const shape = [
    `M${round(x)} ${round(base)}`,
    `V${round(y + corner)}Q${round(x)} ${round(y)} ${round(x + corner)} ${round(y)}`,
    `H${round(x + width - corner)}Q${round(x + width)} ${round(y)} ${round(x + width)} ${round(y + corner)}`,
    `V${round(base)}Z`,
  ].join("");
  return `<path class="${className}" d="${shape}"><title>${escaped(hint)}</title></path>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
