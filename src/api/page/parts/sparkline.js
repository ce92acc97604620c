import { h } from "../dom.js";

const [width, height] = [120, 24];
const svg = "http://www.w3.org/2000/svg";

/** Windows by time as bars. @param {number[]} trend @param {string} label what it says in words */
export function createSparkline(trend, label) {
  const most = Math.max(1, ...trend);
  const step = width / trend.length;
  const picture = document.createElementNS(svg, "svg");
  const all = {
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: "none",
    class: "sparkline",
    role: "img",
    "aria-label": label,
  };
  for (const [name, value] of Object.entries(all)) picture.setAttribute(name, value);
  for (const [place, windows] of trend.entries()) {
    const tall = windows === 0 ? 0.5 : Math.max(3, (windows / most) * height);
    const bar = document.createElementNS(svg, "rect");
    const box = { x: place * step, y: height - tall, width: Math.max(1, step - 1), height: tall };
    for (const [name, value] of Object.entries(box)) bar.setAttribute(name, value.toFixed(1));
    if (windows === 0) bar.setAttribute("class", "none");
    picture.append(bar);
  }
  return h("span", {}, picture);
}

/** Whether it becomes more: the last quarter beside what a quarter has on average. @param {number[]} trend */
export function trendInWords(trend) {
  const sum = (/** @type {number[]} */ part) => part.reduce((all, one) => all + one, 0);
  const quarter = Math.max(1, Math.floor(trend.length / 4));
  const [recent, usual] = [sum(trend.slice(-quarter)), (sum(trend) * quarter) / trend.length];
  if (recent === 0) return "quiet";
  if (recent > 1.5 * usual) return "↗ rising";
  return recent < 0.5 * usual ? "↘ falling" : "→ steady";
}
