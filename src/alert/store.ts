import type { ActiveAnomaly, AlertContent } from "./alert.ts";

/** Which anomalies go on: shared by all alerters of a pipeline, and kept between their lives. */
export interface ActiveAnomalies {
  /**
   * Takes a window in. One that was taken in before (same id) changes nothing: it is answered by what is known of its
   * fingerprint now, which is nothing once its spell was forgotten.
   * @param seen fingerprint and id of the window, wall clock in ms, how long an anomaly is held after its last window;
   *   `raised` of a window that is open, `confirmed` of one that was raised with this fingerprint and has closed.
   */
  seen(seen: {
    fingerprint: string;
    id: string;
    now: number;
    holdMs: number;
    content: AlertContent;
    stage?: "raised" | "confirmed" | undefined;
  }): Promise<ActiveAnomaly | undefined>;
  /** The fingerprint that a window was raised with, and was not confirmed or withdrawn since. */
  raisedAs(id: string): Promise<string | undefined>;
  /** Takes a raised window back. What it leaves of its fingerprint ends now where this was its only window. */
  withdraw(window: { fingerprint: string; id: string; now: number }): Promise<ActiveAnomaly | undefined>;
  /** All that go on, and those that have ended and were not forgotten. */
  all(): Promise<ActiveAnomaly[]>;
  /** Those that have ended, unless they began again meanwhile. */
  forget(ended: readonly ActiveAnomaly[]): Promise<void>;
}
