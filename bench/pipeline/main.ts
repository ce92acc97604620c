// `npm run bench:pipeline [-- --full] [-- --update]`: what the way from a raw topic to closed windows costs.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, styleText } from "node:util";
import { startServices } from "../../scripts/services.mjs";
import { root } from "../../test/support/data.ts";
import { costChart } from "./chart.ts";
import { type LatencyFigures, measureLatency } from "./latency.ts";
import { type MaskingFigures, measureMasking } from "./masking.ts";
import { measurePipeline, type PipelineFigures } from "./stages.ts";

const { values } = parseArgs({
  options: { full: { type: "boolean", default: false }, update: { type: "boolean", default: false } },
});
/** Lines, and window keys: once over lines, once over keys. */
const runs: [lines: number, keys: number][] = [
  ...[100_000, 300_000, 1_000_000, ...(values.full ? [3_000_000, 10_000_000] : [])].map(
    (lines): [number, number] => [lines, 1_000],
  ),
  ...[10, 10_000, 100_000].map((keys): [number, number] => [300_000, keys]),
];
/** What the project asks of itself. */
const goals = { pipeline: 0.35, masking: 5 };
/** Of the baseline; the machine has other things to do as well. */
const tolerance = 0.8;
const baselineFile = join(import.meta.dirname, "baseline.json");
const folder = join(root, "build/bench");

const masking = await measureMasking(100_000);
console.log(maskingText(masking));
const figures: PipelineFigures[] = [];
console.log(
  "CPU-seconds for a million lines\n   lines     keys   bare  ingester  windower  redis  ratio  lines/s of each",
);
for (const [lines, keys] of runs) {
  const services = await startServices();
  try {
    const found = await measurePipeline(services, lines, keys);
    figures.push(found);
    console.log(rowOf(found));
  } finally {
    await services.stop();
  }
}
const latency = await latencyOf();
console.log(latencyText(latency));
mkdirSync(folder, { recursive: true });
writeFileSync(
  join(folder, "pipeline.json"),
  `${JSON.stringify({ masking, figures, latency }, undefined, 2)}\n`,
);
writeFileSync(join(folder, "pipeline-lines.svg"), costChart(figures, "lines"));
writeFileSync(join(folder, "pipeline-keys.svg"), costChart(figures, "keys"));
console.log(`Figures and plots: ${folder}`);

const ratios = {
  masking: masking.ratio,
  ...Object.fromEntries(figures.map(({ lines, keys, ratio }) => [`${lines} lines, ${keys} keys`, ratio])),
};
if (values.update) writeFileSync(baselineFile, `${JSON.stringify(ratios, undefined, 2)}\n`);
const baseline = JSON.parse(readFileSync(baselineFile, "utf8")) as Record<string, number>;
const worse = Object.entries(ratios).flatMap(([name, ratio]) => {
  const before = baseline[name];
  if (before === undefined)
    return [`${name}: ${ratio.toFixed(2)}, which the baseline does not have (--update)`];
  return ratio < tolerance * before
    ? [`${name}: ${ratio.toFixed(2)}, where the baseline has ${before.toFixed(2)}`]
    : [];
});
const [least, asked] = [Math.min(...figures.map(({ ratio }) => ratio)), goals.pipeline];
console.log(
  `Of a bare consumer, per core: at least ${least.toFixed(2)} (asked: ${asked}). Masking: ${masking.ratio.toFixed(1)} times Drain3's (asked: ${goals.masking}).`,
);
for (const line of worse) console.log(styleText("red", line));
if (worse.length === 0)
  console.log(styleText("green", `As the baseline, or within ${Math.round(100 * (1 - tolerance))} % of it.`));
process.exit(worse.length === 0 ? 0 : 1);

function maskingText({ lines, oursMicroseconds, drain3Microseconds, ratio }: MaskingFigures): string {
  return `Masking ${lines} lines: ${oursMicroseconds.toFixed(1)} µs a line, Drain3's masker ${drain3Microseconds.toFixed(1)} µs: ${ratio.toFixed(1)} times.`;
}

async function latencyOf(): Promise<LatencyFigures> {
  const services = await startServices();
  try {
    return await measureLatency(services);
  } finally {
    await services.stop();
  }
}

function latencyText({ linesPerSecond, windows, quantiles }: LatencyFigures): string {
  const times = Object.entries(quantiles).map(
    ([share, seconds]) => `p${100 * Number(share)} ${seconds.toFixed(2)} s`,
  );
  return `Record to verdict at half of capacity, ${Math.round(linesPerSecond)} lines/s, of ${windows} windows, without a model: ${times.join(", ")}.`;
}

function rowOf({ lines, keys, bare, ingester, windower, redisPerMillion, ratio }: PipelineFigures): string {
  const cost = ({ cpuPerMillion }: { cpuPerMillion: number }) => cpuPerMillion.toFixed(1);
  const speeds = [bare, ingester, windower]
    .map(({ linesPerSecond }) => Math.round(linesPerSecond))
    .join(", ");
  return [
    String(lines).padStart(8),
    String(keys).padStart(8),
    cost(bare).padStart(6),
    cost(ingester).padStart(9),
    cost(windower).padStart(9),
    redisPerMillion.toFixed(1).padStart(6),
    ratio.toFixed(2).padStart(6),
    ` ${speeds}`,
  ].join(" ");
}
