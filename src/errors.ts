/**
 * The one error class of LogGuardian.
 *
 * `code` is stable and meant for programs (`LG_BUNDLE_CHECKSUM`), `message` is one sentence that says what
 * happened, `remedy` one that says what to do. The command line prints both and no stack unless `--debug`.
 */
export class LogGuardianError extends Error {
  override readonly name = "LogGuardianError";
  readonly code: `LG_${string}`;
  readonly remedy: string;

  constructor(code: `LG_${string}`, message: string, remedy: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.remedy = remedy;
  }
}

/** What a person reads of an error. */
export function told({ message, remedy, code }: LogGuardianError): string {
  // A list stands on lines of its own.
  return `${message}${message.endsWith("\n") ? "" : " "}${remedy} (${code})`;
}

/** The message of anything thrown, for a sentence of our own around it. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
