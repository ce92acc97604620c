/**
 * What became of a window before it closed. `announced`: it is about to be published as raised, and may have been; `raised`:
 * it was; `done`: so was its final revision.
 */
export type EarlyState = "announced" | "raised" | "done";

/** Windows of one pipeline that were found anomalous before they closed: kept between detectors' lives. */
export interface EarlyMarks {
  set(state: EarlyState, ids: readonly string[]): Promise<void>;
  /** Of those that have one. */
  states(ids: readonly string[]): Promise<ReadonlyMap<string, EarlyState>>;
}
