// `npm run test:integrity [-- --quick] [-- --seed N] [-- --only NAME]`: the promises of ARCHITECTURE.md under fire.
import { parseArgs, styleText } from "node:util";
import { startServices } from "../../scripts/services.mjs";
import { topicAnew } from "./anew.ts";
import { broker } from "./broker.ts";
import { crashes } from "./crashes.ts";
import { type Fault, isKept, type Outcome, type Setting } from "./fault.ts";
import { hostile } from "./hostile.ts";
import { members } from "./members.ts";
import { memory } from "./memory.ts";
import { poison } from "./poison.ts";
import { redisEmptied, redisRestarted } from "./redis.ts";
import { redisAway, redisFull } from "./redis-waits.ts";
import { slowDetector } from "./slow-detector.ts";
import { stopping } from "./stopping.ts";
import { Trial } from "./trial.ts";
import { sessions, sliding } from "./workloads.ts";

/** Faults that follow one another in one deployment, compared with one undisturbed run. */
const groups: Record<string, Record<string, Fault>> = {
  processes: { crashes, members, stopping },
  judging: { slowDetector, hostile, poison },
  kafka: { broker, topicAnew },
  redis: { redisAway, redisFull, redisRestarted, redisEmptied },
  memory: { memory },
};
/** Side by side, each group with services of its own; both lanes take about as long. */
const lanes = [
  ["processes", "redis"],
  ["kafka", "judging"],
];
/** What it takes depends on how much gets through: without others beside it. */
const alone = ["memory"];
/** Sent over and over. */
const lines = 40_000;
const names = Object.values(groups).flatMap(Object.keys);
const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    seed: { type: "string" },
    only: { type: "string", multiple: true },
  },
});
const only = values.only ?? names.filter((name) => !values.quick || name !== "memory");
const unknown = only.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`--only takes ${names.join(", ")}, not ${unknown.join(", ")}.`);
  process.exit(2);
}
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
console.log(`Seed ${seed}; --seed ${seed} repeats what is drawn, though not its moments.`);
if (values.quick)
  console.log(
    "Quick: 3 faults of each kind instead of 30, 2 zombies instead of 15, outages of 3 s instead of 10 s, 1,000 hostile " +
      "records instead of 10,000, stuck after 10 s instead of 60 s.",
  );

const outcomes: Outcome[] = [];
let hasFailed = false;
await Promise.all(
  lanes.map(async (lane) => {
    for (const group of lane) await tryOut(group);
  }),
);
for (const group of alone) await tryOut(group);
console.log(table(outcomes));
const isWhole = !hasFailed && outcomes.every(isKept);
console.log(
  isWhole ? styleText("green", "Every promise holds.") : styleText("red", "A promise does not hold."),
);
process.exit(isWhole ? 0 : 1);

async function tryOut(group: string): Promise<void> {
  const faults = Object.entries(groups[group] ?? {}).flatMap(([name, fault]) =>
    only.includes(name) ? [fault] : [],
  );
  if (faults.length === 0) return;
  const started = Date.now();
  const services = await startServices();
  try {
    const setting: Setting = { services, seed, quick: values.quick, perSecond: 400 };
    const own = faults.flatMap(({ workload }) => workload ?? []);
    const maxLines = faults.find((fault) => fault.maxLines !== undefined)?.maxLines;
    const workloads = [
      await sessions(lines, maxLines === undefined ? {} : { maxLines }),
      await sliding(lines),
      ...own,
    ];
    const found = await new Trial(group, setting, workloads).run(faults);
    outcomes.push(...found);
    // Whoever ends a later group knows of this one all the same.
    console.log(`${group}: compared after ${Math.round((Date.now() - started) / 1000)} s.\n${table(found)}`);
  } catch (thrown) {
    hasFailed = true;
    console.error(`${group} fails: ${thrown instanceof Error ? thrown.message : thrown}`);
  } finally {
    await services.stop();
  }
}

function table(rows: readonly Outcome[]): string {
  const columns = ["promise", "verdicts expected", "lost", "extra ids", "differing scores"];
  const cells = rows.map((one) =>
    [one.promise, one.expected, one.lost, one.extra, one.differing].map(String),
  );
  const widths = columns.map((column, place) =>
    Math.max(column.length, ...cells.map((row) => row[place]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, place) => cell.padEnd(widths[place] ?? 0)).join("  ");
  return [line(columns), ...cells.map(line), ...rows.flatMap(({ broken }) => broken)].join("\n");
}
