/** Windows of one pipeline that were published as anomalous before they closed: kept between detectors' lives. */
export interface EarlyMarks {
  add(ids: readonly string[]): Promise<void>;
  /** Which of these are marked. */
  among(ids: readonly string[]): Promise<ReadonlySet<string>>;
  remove(ids: readonly string[]): Promise<void>;
}
