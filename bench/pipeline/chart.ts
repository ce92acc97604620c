import { chart, dot, path, text } from "../../src/evaluate/report/svg.ts";
import { standalone } from "../standalone-svg.ts";
import type { PipelineFigures } from "./stages.ts";

const stages = ["bare", "ingester", "windower"] as const;
const names = { bare: "bare consumer", ingester: "ingester", windower: "windower" };
const colours = { bare: "#888", ingester: "#1b6ca8", windower: "#c8553d" };

/** CPU-seconds for a million lines, over the number of lines or of window keys. */
export function costChart(figures: readonly PipelineFigures[], over: "lines" | "keys"): string {
  const other = over === "lines" ? "keys" : "lines";
  // The runs in which only this differs.
  const common = over === "lines" ? 1_000 : 300_000;
  const shown = figures.filter((one) => one[other] === common).sort((a, b) => a[over] - b[over]);
  const decades = shown.map((one) => Math.log10(one[over]));
  const highest = Math.max(...shown.flatMap((one) => stages.map((stage) => one[stage].cpuPerMillion)));
  const top = 10 * Math.ceil(highest / 10);
  const svg = chart(
    {
      title: `Cost over ${over}`,
      description: "CPU-seconds for a million lines.",
      x: {
        domain: [Math.min(...decades), Math.max(...decades)],
        ticks: shown.map((one) => ({ at: Math.log10(one[over]), label: one[over].toLocaleString("en") })),
        label: `${over === "lines" ? "lines" : "window keys"} (logarithmic)`,
      },
      y: {
        domain: [0, top],
        ticks: [0, top / 2, top].map((at) => ({ at, label: String(at) })),
        label: "CPU-seconds for a million lines",
      },
    },
    ({ x, y, left }) =>
      stages.flatMap((stage) => {
        const points = shown.map((one): [number, number] => [
          x(Math.log10(one[over])),
          y(one[stage].cpuPerMillion),
        ]);
        const [first] = points;
        return [
          path(points, `curve ${stage}`),
          ...points.map(([at, height], place) =>
            dot(at, height, stage, `${names[stage]}: ${shown[place]?.[stage].cpuPerMillion.toFixed(1)}`),
          ),
          text(left + 8, (first?.[1] ?? 0) - 8, names[stage], stage),
        ];
      }),
  );
  return standalone(svg, colours);
}
