import { bar, chart, dot, path, type Tick, text } from "../../src/evaluate/report/svg.ts";
import { standalone } from "../standalone-svg.ts";

const [blue, red] = ["#1b6ca8", "#c8553d"];

export function memoryChart(readings: readonly { batches: number; megabytes: number }[]): string {
  const most = Math.max(...readings.map(({ batches }) => batches));
  const top = 100 * Math.ceil(Math.max(...readings.map(({ megabytes }) => megabytes)) / 100);
  const svg = chart(
    {
      title: "Resident memory over scored batches",
      description: "Megabytes of the process.",
      x: { domain: [0, most], ticks: [0, most / 2, most].map(tickOf), label: "batches scored" },
      y: { domain: [0, top], ticks: [0, top / 2, top].map(tickOf), label: "megabytes" },
    },
    ({ x, y }) => {
      const points = readings.map((one): [number, number] => [x(one.batches), y(one.megabytes)]);
      return [
        path(points, "curve memory"),
        ...points.map(([at, height], place) =>
          dot(at, height, "memory", `${readings[place]?.megabytes.toFixed(0)} MB`),
        ),
      ];
    },
  );
  return standalone(svg, { memory: blue });
}

/** CPU-seconds over lines, both logarithmic: what is linear is a straight line of slope 1. */
export function linearChart(
  curves: Record<"cached" | "uncached", readonly { lines: number; cpuSeconds: number }[]>,
): string {
  const names = { cached: "caches on", uncached: "caches off" };
  const all = Object.values(curves).flat();
  const decades = (values: number[]): [number, number] => [
    Math.floor(Math.log10(Math.min(...values))),
    Math.ceil(Math.log10(Math.max(...values))),
  ];
  const [left, right] = decades(all.map(({ lines }) => lines));
  const [low, high] = decades(all.map(({ cpuSeconds }) => cpuSeconds));
  const svg = chart(
    {
      title: "CPU-seconds over lines",
      description: "From a raw HDFS log to verdicts, caches on and off.",
      x: { domain: [left, right], ticks: powers(left, right), label: "lines (logarithmic)" },
      y: { domain: [low, high], ticks: powers(low, high), label: "CPU-seconds (logarithmic)" },
    },
    ({ x, y }) =>
      (["cached", "uncached"] as const).flatMap((name) => {
        const points = curves[name].map(({ lines, cpuSeconds }): [number, number] => [
          x(Math.log10(lines)),
          y(Math.log10(cpuSeconds)),
        ]);
        const [at = 0, height = 0] = points.at(-1) ?? [];
        return [
          path(points, `curve ${name}`),
          ...points.map(([across, up], place) =>
            dot(across, up, name, `${names[name]}: ${curves[name][place]?.cpuSeconds.toFixed(2)} s`),
          ),
          text(at - 72, height - 8, names[name], name),
        ];
      }),
  );
  return standalone(svg, { cached: blue, uncached: red });
}

/** One bar a stage. */
export function stagesChart(microseconds: Record<string, number>): string {
  const stages = Object.entries(microseconds);
  const top = Math.ceil(Math.max(...Object.values(microseconds)));
  const svg = chart(
    {
      title: "Time by stage",
      description: "Microseconds for a raw line of HDFS, caches off.",
      x: {
        domain: [0, stages.length],
        ticks: stages.map(([label], place) => ({ at: place + 0.5, label })),
        label: "stage",
      },
      y: { domain: [0, top], ticks: [0, top / 2, top].map(tickOf), label: "microseconds for a line" },
    },
    ({ x, y, bottom }) =>
      stages.map(([stage, value], place) =>
        bar(x(place + 0.15), x(0.7) - x(0), y(value), bottom, "stage", `${stage}: ${value.toFixed(1)} µs`),
      ),
  );
  return standalone(svg, { stage: blue });
}

function tickOf(at: number): Tick {
  return { at, label: at.toLocaleString("en") };
}

function powers(from: number, to: number): Tick[] {
  return Array.from({ length: to - from + 1 }, (_, place) => ({
    at: from + place,
    label: (10 ** (from + place)).toLocaleString("en"),
  }));
}
