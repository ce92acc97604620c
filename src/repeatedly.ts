/** Again and again until it is stopped, and never twice at once: while one takes long, none is begun. */
export function repeatedly(
  task: () => Promise<void>,
  everyMs: number,
  onFailure: (thrown: unknown) => void,
): { stop(): Promise<void> } {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= task()
      .catch(onFailure)
      .finally(() => {
        running = undefined;
      });
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
