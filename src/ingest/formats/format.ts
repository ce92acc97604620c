import type { DecodedLine, RawRecord } from "../line.ts";

/** How one shipper puts lines into records. */
export interface RecordFormat {
  name: string;
  /** The record's lines; none for an empty one. @throws LogGuardianError LG_RECORD_* for the dead letters. */
  decode(record: RawRecord): DecodedLine[];
}
