import type { Anomaly, AnomalyLine } from "../verdict/anomaly.ts";
import { visibleStart } from "../verdict/visible.ts";

/** How log lines are told: masked ones hold nothing that varies, such as names, addresses and amounts. */
export type LineForm = "masked" | "raw";

const shownLines = 5;
const fewLines = 3;
/** Less is told as 0.0. */
const leastWeight = 0.05;
const shownOrigins = 3;
const shownCharacters = 300;

export interface HeavyLine extends AnomalyLine {
  /** How often the window holds it or its equals, as the model sees them. */
  times: number;
}

/** Lines that have a share in the verdict, or the few that weigh most where none has; equals once. */
export function heaviestLines(lines: readonly AnomalyLine[]): HeavyLine[] {
  const found = new Map<string, HeavyLine>();
  for (const line of lines) {
    const same = found.get(line.masked);
    if (same !== undefined) same.times++;
    else if (line.weight !== undefined) found.set(line.masked, { ...line, times: 1 });
  }
  const all = [...found.values()].sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0));
  const heavy = all.filter(({ weight = 0 }) => weight >= leastWeight);
  return (heavy.length > 0 ? heavy : all.slice(0, fewLines)).slice(0, shownLines);
}

/** Each with its weight, below one another. */
export function linesTold(lines: readonly HeavyLine[], form: LineForm): string {
  return lines
    .map((line) => {
      const { weight = 0, times } = line;
      const signed = `${weight < 0 ? "" : "+"}${weight.toFixed(1)}`;
      return `${signed}  ${textOf(line, form)}${times > 1 ? ` (${times} times)` : ""}`;
    })
    .join("\n");
}

export function textOf(line: AnomalyLine, form: LineForm): string {
  return clean(form === "raw" ? line.text : line.masked);
}

/** Where lines were written, and in which files; where most were comes first. Undefined where they do not say. */
export function originsTold(lines: readonly AnomalyLine[]): string | undefined {
  return placesTold(lines, (line) => {
    const [machine, part] = [machineOf(line), line.pod === undefined ? line.file : line.container];
    if (machine === undefined || part === undefined) return machine ?? part;
    return `${machine}${line.pod === undefined ? ":" : "/"}${part}`;
  });
}

/** The same without files, for a sentence. */
export function machinesTold(lines: readonly AnomalyLine[]): string | undefined {
  return placesTold(lines, machineOf);
}

function machineOf({ pod, host }: AnomalyLine): string | undefined {
  return pod ?? host;
}

function placesTold(
  lines: readonly AnomalyLine[],
  placeOf: (line: AnomalyLine) => string | undefined,
): string | undefined {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const place = placeOf(line);
    if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  if (counts.size === 0) return undefined;
  const all = [...counts].sort(([, a], [, b]) => b - a).map(([place]) => clean(place));
  const more = all.length - shownOrigins;
  return all.slice(0, shownOrigins).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** A score is a probability, as far as the bundle's calibration fits these logs. */
export function confidenceTold({ score, threshold, model }: Anomaly["logguardian"]): string {
  const value = score ?? 0;
  const distance = (value - threshold) / Math.max(1e-9, 1 - threshold);
  const sure =
    distance < 0.1
      ? "Borderline"
      : value >= 0.95
        ? "Almost certain"
        : value >= 0.8
          ? "Likely"
          : "More likely than not";
  return `${sure}: score ${value.toFixed(3)}; windows are called anomalous from ${threshold} on (${model.name} ${model.version})`;
}

/** 0 is known from training, 1 like nothing in it; undefined where the bundle cannot tell. */
export function noveltyTold({ novelty, lines }: Anomaly["logguardian"], form: LineForm): string | undefined {
  if (novelty === undefined) return undefined;
  if (novelty === 0) return "Nothing new: each line is like one from training; what is odd is how they come";
  const how = novelty >= 0.5 ? "New" : novelty >= 0.1 ? "Somewhat new" : "Hardly new";
  const newest = lines.find((line) => line.novelty === novelty);
  const line = newest === undefined ? "" : `: ${textOf(newest, form)}`;
  return `${how} (${novelty.toFixed(2)}; 0 is known from training, 1 like nothing in it)${line}`;
}

export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** One well-formed line of bounded length: it ends in mails and terminals. */
export function clean(text: string): string {
  return visibleStart(text, shownCharacters);
}
