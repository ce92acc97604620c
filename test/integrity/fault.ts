import type { Services } from "../../scripts/services.mjs";
import type { Trial } from "./trial.ts";
import type { Workload } from "./workloads.ts";

/** How long and hard all promises are tried. */
export interface Setting {
  services: Services;
  seed: number;
  quick: boolean;
  /** Messages of each workload sent in a second. */
  perSecond: number;
}

/** What is done to the running product, and what must hold all the same. */
export interface Fault {
  /** What the product promises. */
  promise: string;
  /** A pipeline of its own, beside those that all have. */
  workload?: Workload;
  /** Most lines of a session; by default the product's. */
  maxLines?: number;
  /** Resolves when the fault is over and the product goes on. */
  inflict(trial: Trial, setting: Setting): Promise<Inflicted>;
  /** Windows that may be cut at other lines from here on: only that each of their lines is in a verdict is compared. */
  recuts?(pipeline: string, key: string): boolean;
}

export interface Inflicted {
  /** In words. */
  faults: string;
  /** What else does not hold, in sentences. */
  broken?: string[];
}

/** What became of one fault; the last four must be 0 and empty. */
export interface Outcome extends Required<Inflicted> {
  promise: string;
  expected: number;
  lost: number;
  extra: number;
  differing: number;
}

export function isKept({ expected, lost, extra, differing, broken }: Outcome): boolean {
  return expected > 0 && lost === 0 && extra === 0 && differing === 0 && broken.length === 0;
}
