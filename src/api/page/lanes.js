/** Where anomalies lie in the timeline: origins above one another, time from left to right, cells of equal width. */

import { strengthOf } from "./strength.js";

export const mostLanes = 12;
const shortestMs = 60_000;

/** @typedef {{ lane: number, column: number, anomalies: any[], strength: number, isUndecided: boolean, isFalseAlarm: boolean }} Cell */

/**
 * @param {any[]} anomalies @param {number} columns how many cells fit beside one another
 * @param {{ from?: number | undefined, to?: number | undefined }} [range] milliseconds; else all that there is
 */
export function lanesOf(anomalies, columns, range = {}) {
  const times = anomalies.map(({ end }) => Date.parse(end));
  let [from, to] = [range.from ?? min(times), range.to ?? max(times)];
  if (to - from < shortestMs) [from, to] = [(from + to - shortestMs) / 2, (from + to + shortestMs) / 2];
  const counts = new Map();
  for (const { origin } of anomalies) counts.set(origin, (counts.get(origin) ?? 0) + 1);
  const names = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
  const rest = names.length > mostLanes ? names.slice(mostLanes - 1) : [];
  const named = names.slice(0, names.length - rest.length);
  const laneOf = new Map(named.map((name, lane) => [name, lane]));

  const sumOf = (/** @type {any[]} */ some) => some.reduce((sum, name) => sum + counts.get(name), 0);

  /** @type {Map<number, Cell>} */
  const cells = new Map();
  anomalies.forEach((anomaly, place) => {
    const lane = laneOf.get(anomaly.origin) ?? named.length;
    const column = Math.min(
      columns - 1,
      Math.max(0, Math.floor((((times[place] ?? 0) - from) / (to - from)) * columns)),
    );
    const found = cells.get(lane * columns + column);
    /** @type {Cell} */
    const cell = found ?? { lane, column, anomalies: [], strength: 0, isUndecided: true, isFalseAlarm: true };
    cell.anomalies.push(anomaly);
    cell.strength = Math.max(cell.strength, strengthOf(anomaly));
    cell.isUndecided &&= anomaly.verdict === "undecided";
    cell.isFalseAlarm &&= anomaly.feedback?.judgement === "false-alarm";
    cells.set(lane * columns + column, cell);
  });
  return {
    from,
    to,
    lanes: [
      ...named.map((name) => ({ name, others: 0, count: counts.get(name) })),
      ...(rest.length === 0 ? [] : [{ name: undefined, others: rest.length, count: sumOf(rest) }]),
    ],
    /** By lane, then by time. */
    cells: [...cells].sort(([a], [b]) => a - b).map(([, cell]) => cell),
  };
}

// Ten thousand are too many for Math.min(...times) on some engines' stacks.
/** @param {number[]} numbers */
const min = (numbers) => numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
/** @param {number[]} numbers */
const max = (numbers) => numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

const steps = [1, 5, 15, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800].map(
  (s) => s * 1000,
);

/** Round times between, at most so many. @param {number} from @param {number} to @param {number} most */
export function ticksOf(from, to, most) {
  const step = steps.find((one) => (to - from) / one <= most) ?? (to - from) / most;
  const ticks = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) ticks.push(time);
  return { step, ticks };
}
