/** What every room logs through. WARN: no data was lost; ERROR: data was lost or the process must stop. */
export interface Logger {
  /** `event` is a capitalised sentence with a period; what varies goes into `fields`. */
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
  child(fields: Record<string, unknown>): Logger;
}

/** A logger that says nothing: for library calls, whose caller has a logger of its own. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
