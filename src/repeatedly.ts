/** Again and again until it is stopped, and never twice at once: while one takes long, none is begun. */
export function repeatedly(
  task: () => Promise<void>,
  everyMs: number,
  onFailure: (thrown: unknown) => void,
): { now(): void; stop(): Promise<void> } {
  let running: Promise<void> | undefined;
  function now(): void {
    running ??= task()
      .catch(onFailure)
      .finally(() => {
        running = undefined;
      });
  }
  const timer = setInterval(now, everyMs);
  return {
    now,
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
