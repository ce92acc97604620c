/** What the process answers; `logguardian --help` lists them. */
export const exitCodes = {
  ok: 0,
  /** Something this command needs is missing or wrong; the message says what. */
  failed: 1,
  /** Unknown command or option, or a value that it does not take. */
  usage: 2,
  /** `detect` found an anomaly. */
  anomalous: 3,
  /** `evaluate`: F1 is below `--min-f1`. */
  belowGate: 4,
  /** A bug. */
  unexpected: 70,
} as const;
