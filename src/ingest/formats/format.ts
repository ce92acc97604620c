import { LogGuardianError } from "../../errors.ts";
import type { DecodedLine, RawRecord } from "../line.ts";

/** How one shipper puts lines into records. */
export interface RecordFormat {
  name: string;
  /** The record's lines; none for an empty one. @throws LogGuardianError LG_RECORD_* for the dead letters. */
  decode(record: RawRecord): DecodedLine[];
  /** Fetches what decoding these records takes, such as schemas; waits as long as it must. */
  prepare?(records: readonly RawRecord[]): Promise<void>;
  /** Of a format that looks at each record: which format it is, and what says so. */
  choose?(record: RawRecord): { name: string; why: string };
}

/** Lines of one record at most. */
export const maxLines = 50_000;

/** Why a record belongs into the dead letters. */
export function refused(
  code: `LG_RECORD_${string}`,
  sentence: string,
  cause?: unknown,
  remedy = "Check the format of the pipeline that reads the topic; `logguardian decode` shows how its records are read.",
): LogGuardianError {
  return new LogGuardianError(code, sentence, remedy, cause);
}

/** @throws LogGuardianError LG_RECORD_LINES. */
export function assertLines(count: number, format: string): void {
  if (count > maxLines)
    throw refused(
      "LG_RECORD_LINES",
      `A ${format} record holds more than ${maxLines} lines.`,
      undefined,
      "Let the shipper send smaller batches.",
    );
}
