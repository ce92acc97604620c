/** What work took. The figures are made of CPU-seconds: what it costs whatever else the machine does. */
export interface Spent {
  seconds: number;
  /** Of all threads of this process. */
  cpuSeconds: number;
}

export async function spentOn(work: () => unknown): Promise<Spent> {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
}

/**
 * What each contender takes, round by round. Every round turns their order: what a machine gives varies from minute to
 * minute, and contenders of one round share the minute.
 */
export async function race<Name extends string>(
  rounds: number,
  contenders: Record<Name, () => Promise<unknown>>,
  onRound: (round: number) => void,
): Promise<Record<Name, Spent[]>> {
  const names = Object.keys(contenders) as Name[];
  const spent = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Spent[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed())
      spent[name].push(await spentOn(contenders[name]));
    onRound(round + 1);
  }
  return spent;
}

/** The median of `a`'s CPU-seconds over `b`'s of the same round. */
export function medianRatio(a: readonly Spent[], b: readonly Spent[]): number {
  return median(a.map(({ cpuSeconds }, round) => cpuSeconds / (b[round]?.cpuSeconds ?? NaN)));
}

export function medianCpu(spent: readonly Spent[]): number {
  return median(spent.map(({ cpuSeconds }) => cpuSeconds));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}
