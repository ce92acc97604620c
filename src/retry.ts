import { setTimeout as sleep } from "node:timers/promises";

const firstPauseMs = 100;
const longestPauseMs = 5_000;

export interface RetryOptions {
  /** Whether another try can help; anything else is thrown at once. */
  isTransient: (thrown: unknown) => boolean;
  /** Called before each pause. */
  onFailure?: (thrown: unknown, attempt: number) => void;
  /** Gives up for good: the last failure is thrown. */
  signal?: AbortSignal | undefined;
  /** Tries at most; without it as many as it takes. */
  attempts?: number;
}

/** The one retry policy: as long as it takes, with pauses that double up to five seconds and differ between processes. */
export async function retry<T>(operation: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (thrown) {
      const isLast = attempt >= (options.attempts ?? Number.POSITIVE_INFINITY);
      if (isLast || options.signal?.aborted || !options.isTransient(thrown)) throw thrown;
      options.onFailure?.(thrown, attempt);
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
      await sleep(pause * (0.75 + Math.random() / 2), undefined, { signal: options.signal }).catch(
        () => undefined,
      );
    }
  }
}
