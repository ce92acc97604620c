import type { Told } from "./alert.ts";
import type { Suppression } from "./suppression.ts";

/** An anomaly that goes on, or has ended and is still told of. */
export interface ActiveAlert extends Told {
  /** See `identityOf`. */
  identity: string;
  fingerprint: string;
  /** Wall clock, milliseconds: of its first and last window in this spell. */
  firstSeen: number;
  lastSeen: number;
  /** Windows of this spell. */
  times: number;
  /** Ended by what became known, not by time: its windows were withdrawn, or it is replaced. */
  isOver: boolean;
  /** A more severe one of the same identity took its place. */
  isReplaced?: true;
  /** Opened when there were too many already: the storm's alert speaks for it. */
  isHeldBack: boolean;
  /** Which bundle judged its newest window: see `modelName`. */
  model: string;
}

/** Of one pipeline. */
export interface AlertState {
  alerts: ActiveAlert[];
  suppressions: Suppression[];
  /** There are, or lately were, more alerts than are told one by one. */
  storm?: { openedAt: number; endedAt?: number };
  /** Windows that could not be judged lately. */
  undecided?: {
    openedAt: number;
    lastSeen: number;
    endsAt: number;
    times: number;
    reasons: Record<string, number>;
  };
}

/** An anomalous window, and what its alert would say. */
export interface SeenWindow {
  id: string;
  identity: string;
  fingerprint: string;
  model: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** See `rankOf`. */
  rank: number;
  /** `raised` of a window that is open, `confirmed` of one that was raised with this identity and has closed. */
  stage?: "raised" | "confirmed" | undefined;
}

export interface Seen {
  /** What is known of its identity now, and of a less severe alert that it replaced. */
  alerts: ActiveAlert[];
  /** Somebody called its fingerprint a false alarm. */
  isSuppressed: boolean;
  /** Whether it was the first of a storm. */
  isStorm: boolean;
}

/** Which anomalies go on: shared by all alerters of a pipeline, and kept between their lives. Times are wall clock in ms. */
export interface AlertStore {
  /** Takes a window in. One that was taken in before (same id) changes nothing. */
  seen(window: SeenWindow, now: number): Promise<Seen>;
  /** The identity that a window was raised with, and was not confirmed or withdrawn since. */
  raisedAs(id: string): Promise<string | undefined>;
  /**
   * Takes a raised window back. Its alert ends now where this was its only window, and else speaks of the newest that is
   * left. @returns what is left of its alert.
   */
  withdraw(window: { identity: string; id: string }, now: number): Promise<ActiveAlert | undefined>;
  /** Takes in a window that could not be judged. @returns whether it is the first after a time without. */
  undecided(window: { id: string; reason: string }, now: number): Promise<boolean>;
  state(): Promise<AlertState>;
  /** Ends a storm where few go on: those that were held back are told from now on. */
  calm(now: number): Promise<void>;
  /** Those that have ended, unless they began again meanwhile. */
  forget(ended: readonly ActiveAlert[]): Promise<void>;
  /** When an Alertmanager first took alerts with these names, lately. */
  toldAt(alertmanager: string, names: readonly string[]): Promise<(number | undefined)[]>;
  setTold(alertmanager: string, names: readonly string[], now: number): Promise<void>;
}
