import { simulateHdfs } from "../../src/simulate/hdfs.ts";
import { createRandom } from "../../src/simulate/random.ts";

const hour = 3_600_000;
const nodes = Array.from(
  { length: 9 },
  (_, place) => `dn-${String(place + 1).padStart(2, "0")}.rack-${1 + (place % 3)}`,
);

/** The lines of one block, written on one node. */
export interface Session {
  source: string;
  lines: { message: string; timestamp: number }[];
}

/** Faulty blocks of a simulated cluster in the six hours before `end`: some all the time, and an outage of rack 2. */
export function faultySessions(end: number, seed = 7): Session[] {
  const random = createRandom(seed);
  /** Below `most`, evenly. */
  const within = (most: number) => (most * random.below(1000)) / 1000;
  const { lines, labels } = simulateHdfs({ rate: 200, faultRate: 0.5, seed, lines: 5000, start: end - hour });
  const blocks = Map.groupBy(lines, ({ block }) => block);
  return [...blocks].flatMap(([block, written]) => {
    if (!labels.get(block) || written.length > 100) return [];
    const isOutage = random.chance(0.4);
    const source = random.pick(isOutage ? nodes.filter((name) => name.endsWith("rack-2")) : nodes);
    const begin = isOutage ? end - 1.9 * hour + within(0.5 * hour) : end - within(6 * hour);
    const first = written[0]?.time ?? 0;
    return [
      {
        source,
        lines: written.map(({ text, time }) => ({
          // Without the header: the time stands beside it.
          message: text.replace(/^\d{6} \d{6} \d+ \w+ [\w.$]+: /, ""),
          timestamp: Math.round(begin + time - first),
        })),
      },
    ];
  });
}
