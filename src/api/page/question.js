/** What a view asks the API: only the newest question counts, and what changes meanwhile is asked for now and then. */

const soonMs = 2000;

/** @param {(signal: AbortSignal) => Promise<void>} ask which says its failures itself, and nothing once it is given up */
export function createQuestion(ask) {
  let newest = new AbortController();
  let asking = Promise.resolve();
  let isDue = false;

  function now() {
    newest.abort();
    newest = new AbortController();
    asking = ask(newest.signal);
  }

  return {
    now,
    async soon() {
      if (isDue) return;
      isDue = true;
      await new Promise((due) => setTimeout(due, soonMs));
      // A slow answer is waited for: given up each time, it would never be shown.
      await asking;
      isDue = false;
      if (!newest.signal.aborted) now();
    },
    /** The view is left. */
    giveUp: () => newest.abort(),
  };
}
