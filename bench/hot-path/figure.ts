import type { ProgressLine } from "../../src/cli/progress.ts";

/** One figure of a run, and what the project asks of it. */
export interface Figure {
  /** Its name in the table and in the baseline. */
  name: string;
  value: number;
  /** `times`: one figure of this run over another of it. Others are absolute, and the machine's share is in them. */
  unit: "times" | "ms" | "F1" | "share";
  /** Which way is better; without `asked` it is only compared with the baseline. */
  better: "higher" | "lower";
  asked?: number;
  /** What it is made of: both sides, how much was measured, what was shortened or extrapolated. */
  note: string;
}

export interface Measured {
  figures: Figure[];
  /** Everything measured, for the JSON. */
  details: unknown;
  /** SVG by name. */
  charts?: Record<string, string>;
  /** Printed after the table. */
  text?: string;
}

/** What every measure is told. */
export interface Run {
  full: boolean;
  /** Folder with the labelled logs' dev parts. */
  splits: string;
  progress: ProgressLine;
}

export type Measure = (run: Run) => Promise<Measured>;

/** The same on every machine, so that ratios compare; one, as the reference is least hurt by it. */
export const threads = 1;
/** Of everything drawn at random. */
export const seed = 7;

export function isReached({ value, better, asked }: Figure): boolean | undefined {
  if (asked === undefined) return undefined;
  return better === "higher" ? value >= asked : value <= asked;
}
