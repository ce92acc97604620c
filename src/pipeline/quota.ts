/** What was taken in beyond a rate is made up for by pausing. */
export interface Quota {
  take(count: number, perSecond: number): void;
  /** How long to pause before more is taken; 0 where there is nothing to make up for. */
  pauseMs(): number;
}

/** @param now milliseconds of a clock that never goes back. */
export function createQuota(now: () => number = () => performance.now()): Quota {
  let paidAt = Number.NEGATIVE_INFINITY;
  return {
    take(count, perSecond) {
      paidAt = Math.max(paidAt, now()) + (1000 * count) / perSecond;
    },
    pauseMs: () => Math.max(0, paidAt - now()),
  };
}
