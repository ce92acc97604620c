import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { lineWeights } from "../../src/classify/evidence.ts";
import { windowVectors } from "../../src/classify/window-vectors.ts";
import { withModel } from "../../src/pipeline/open-model.ts";
import { createRandom, type Random } from "../../src/simulate/random.ts";
import { dataFile } from "../../test/support/data.ts";
import type { Measured, Run } from "./figure.ts";

/** Whether evidence names lines that are known to be the cause. Overlaps training: it is no measure of detection. */
export interface PlantedFigures {
  data: "hdfs" | "bgl";
  /** That were normal without the planted lines and are anomalous with them. */
  windows: number;
  /** Drawn for them: normal without, and still normal with them. */
  stayedNormal: number;
  /** Share of windows of which each planted line is among the three heaviest. */
  named: number;
  /** What that share would be with weights drawn by chance. */
  byChance: number;
}

const heaviestCounted = 3;

const windowsWanted = 300;
const asked = 0.9;

export async function measurePlantedLines({ progress }: Run): Promise<Measured> {
  const found: PlantedFigures[] = [];
  for (const data of ["hdfs", "bgl"] as const) {
    progress.show(`planted lines of ${data}`);
    found.push(await measurePlanted(data, windowsWanted));
  }
  return {
    figures: found.map(({ data, windows, stayedNormal, named, byChance }) => ({
      name: `planted-${data}`,
      value: named,
      unit: "share",
      better: "higher",
      asked,
      note: `of ${windows} windows that planted lines made anomalous, each planted line among the ${heaviestCounted} heaviest (by chance: ${byChance.toFixed(2)}); ${stayedNormal} more stayed normal (overlaps training)`,
    })),
    details: { found },
  };
}

/** @param wanted windows that turn anomalous. */
export async function measurePlanted(data: "hdfs" | "bgl", wanted: number): Promise<PlantedFigures> {
  return withModel({ evidence: false }, async ({ bundle, embedder, scorer, judge }) => {
    let [windows, stayedNormal, named, byChance] = [0, 0, 0, 0];
    for (const { lines, planted } of plantedWindows(data, 1)) {
      if (windows === wanted) break;
      if (lines.length > bundle.manifest.window.maxLines) continue;
      const without = lines.filter((_, place) => !planted.includes(place));
      const [before, after] = await judge.judge([{ masked: without }, { masked: lines }]);
      if (before?.verdict !== "normal") continue;
      if (after?.verdict !== "anomalous") {
        stayedNormal++;
        continue;
      }
      windows++;
      const [vectors] = await windowVectors(embedder, [lines]);
      const weights = await lineWeights(scorer, vectors?.joined ?? new Float32Array(0), lines);
      const byLine = new Map(lines.map((line, place) => [line, weights[place] ?? 0]));
      const heaviest = [...byLine].sort(([, a], [, b]) => b - a).slice(0, heaviestCounted);
      const names = new Set(heaviest.map(([line]) => line));
      if (planted.every((place) => names.has(lines[place] ?? ""))) named++;
      byChance += chanceOf(new Set(planted.map((place) => lines[place])).size, byLine.size);
    }
    return { data, windows, stayedNormal, named: named / windows, byChance: byChance / windows };
  });
}

/** That so many lines are all among the heaviest of so many distinct ones, in an order drawn at random. */
function chanceOf(planted: number, distinct: number): number {
  let chance = 1;
  for (let one = 0; one < planted; one++) chance *= (heaviestCounted - one) / (distinct - one);
  return chance;
}

/** A real normal window with lines of one real anomalous window put in. */
export interface PlantedWindow {
  lines: string[];
  /** Where the planted ones stand, rising. */
  planted: number[];
}

interface TemplateWindow {
  label: number;
  lines: string[];
}

/** Of windows with a template: from this share of anomalous ones on, it is taken for what makes them so. */
const anomalousShare = 0.95;
const mostPlanted = 3;

/**
 * Endless: draws normal windows and lines of anomalous ones.
 * @param data hdfs or bgl: templates and windows of the labelled logs; overlaps training.
 */
export function* plantedWindows(data: "hdfs" | "bgl", seed: number): Generator<PlantedWindow> {
  const random = createRandom(seed);
  const windows = readWindows(data);
  const anomalous = anomalousLines(windows);
  // Of fewer distinct lines each is among the heaviest, whatever the weights.
  const normals = windows.filter(({ label, lines }) => label === 0 && new Set(lines).size > heaviestCounted);
  const sources = windows
    .filter(({ label }) => label === 1)
    .map(({ lines }) => [...new Set(lines.filter((line) => anomalous.has(line)))])
    .filter((lines) => lines.length > 0);
  for (;;) {
    const normal = pick(normals, random).lines;
    const source = [...pick(sources, random)];
    const count = Math.min(source.length, 1 + random.below(mostPlanted));
    const chosen = Array.from(
      { length: count },
      () => source.splice(random.below(source.length), 1)[0] ?? "",
    );
    yield plant(normal, chosen, random);
  }
}

function plant(normal: readonly string[], chosen: readonly string[], random: Random): PlantedWindow {
  const rows = normal.map((line) => ({ line, isPlanted: false }));
  for (const line of chosen) rows.splice(random.below(rows.length + 1), 0, { line, isPlanted: true });
  return {
    lines: rows.map(({ line }) => line),
    planted: rows.flatMap(({ isPlanted }, place) => (isPlanted ? [place] : [])),
  };
}

function anomalousLines(windows: readonly TemplateWindow[]): Set<string> {
  const counts = new Map<string, { all: number; anomalous: number }>();
  for (const { label, lines } of windows)
    for (const line of new Set(lines)) {
      const count = counts.get(line) ?? { all: 0, anomalous: 0 };
      count.all++;
      count.anomalous += label;
      counts.set(line, count);
    }
  return new Set(
    [...counts].filter(([, { all, anomalous }]) => anomalous / all >= anomalousShare).map(([line]) => line),
  );
}

function readWindows(data: "hdfs" | "bgl"): TemplateWindow[] {
  const templates = readTemplates(data);
  const rows = gunzipSync(readFileSync(dataFile(`${data}/train.tsv.gz`)))
    .toString("utf8")
    .trim()
    .split("\n");
  return rows.map((row) => {
    const [label = "", ids = ""] = row.split("\t");
    return { label: Number(label), lines: ids.split(" ").map((id) => templates.get(id) ?? "") };
  });
}

function readTemplates(data: "hdfs" | "bgl"): Map<string, string> {
  const bytes =
    data === "hdfs"
      ? readFileSync(dataFile("hdfs/templates.json"))
      : gunzipSync(readFileSync(dataFile("bgl/templates.json.gz")));
  const templates = JSON.parse(bytes.toString("utf8")) as { id: number; masked: string }[];
  return new Map(templates.map(({ id, masked }) => [String(id), masked]));
}

function pick<T>(from: readonly T[], random: Random): T {
  const one = from[random.below(from.length)];
  if (one === undefined) throw new Error("There is nothing to draw from.");
  return one;
}
