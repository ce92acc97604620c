import { LogGuardianError } from "../../errors.ts";
import type { DecodedLine, RawRecord } from "../line.ts";

/** How one shipper puts lines into records. */
export interface RecordFormat {
  name: string;
  /**
   * The record's lines; none for an empty one.
   * @param onChoice told by a format that looks at each record which format it is, and what says so.
   * @throws LogGuardianError LG_RECORD_* for the dead letters.
   */
  decode(record: RawRecord, onChoice?: (choice: Choice) => void): DecodedLine[];
  /** Fetches what decoding these records takes, such as schemas; waits as long as it must. */
  prepare?(records: readonly RawRecord[]): Promise<void>;
}

export interface Choice {
  name: string;
  why: string;
}

/** Lines of one record at most. */
export const maxLines = 50_000;

/** Texts and origins of one record's lines at most: a resource's names stand once in the record, and in every line. */
const maxDecodedBytes = 32 * 2 ** 20;

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

/** Lines of a record as they are decoded, no more and no larger than memory should hold of one record. */
export function collectLines(format: string): {
  lines: DecodedLine[];
  /** @throws LogGuardianError LG_RECORD_LINES, LG_RECORD_LINES_SIZE. */
  push(line: DecodedLine): void;
} {
  const lines: DecodedLine[] = [];
  let bytes = 0;
  return {
    lines,
    push(line) {
      bytes += Buffer.byteLength(line.text);
      for (const name of Object.values(line.origin)) bytes += Buffer.byteLength(name);
      if (bytes > maxDecodedBytes)
        throw refused(
          "LG_RECORD_LINES_SIZE",
          `The lines of a ${format} record and the names of where they were written take more than ${maxDecodedBytes / 2 ** 20} MB.`,
          undefined,
          "Let the shipper send smaller batches, or shorter resource attributes.",
        );
      lines.push(line);
      assertLines(lines.length, format);
    },
  };
}
