/** Which windows of a pipeline are being scored, kept where a crash does not reach it. */
export interface ScoringMarks {
  /** How often a process died while it scored these windows, by id. */
  left(): Promise<Map<string, number>>;
  /** @param tries of each, with this one: what is sent twice counts once. */
  begin(tries: ReadonlyMap<string, number>): Promise<void>;
  end(ids: readonly string[]): Promise<void>;
}
