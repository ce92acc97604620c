// `npm run test:integrity [-- --quick] [-- --seed N] [-- --only NAME]`: the promises of ARCHITECTURE.md under fire.
import { parseArgs, styleText } from "node:util";
import { startServices } from "../../scripts/services.mjs";
import { broker } from "./broker.ts";
import { crashes } from "./crashes.ts";
import { type Fault, isKept, type Outcome, type Setting } from "./fault.ts";
import { hostile } from "./hostile.ts";
import { members } from "./members.ts";
import { poison } from "./poison.ts";
import { redisEmptied, redisRestarted } from "./redis.ts";
import { stopping } from "./stopping.ts";
import { Trial } from "./trial.ts";
import { sessions, sliding } from "./workloads.ts";

/** Faults that follow one another in one deployment, compared with one undisturbed run. */
const groups: Record<string, Record<string, Fault>> = {
  processes: { crashes, members, stopping, hostile, poison },
  kafka: { broker },
  redis: { redisRestarted, redisEmptied },
};
const names = Object.values(groups).flatMap(Object.keys);
const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    seed: { type: "string" },
    only: { type: "string", multiple: true, default: names },
  },
});
const unknown = values.only.filter((name) => !names.includes(name));
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

const services = await startServices();
const setting: Setting = {
  services,
  seed,
  quick: values.quick,
  lines: values.quick ? 100_000 : 600_000,
  perSecond: 400,
};
const outcomes: Outcome[] = [];
let hasFailed = false;
for (const [name, faults] of Object.entries(groups)) {
  const chosen = Object.entries(faults).flatMap(([one, fault]) => (values.only.includes(one) ? [fault] : []));
  if (chosen.length > 0) await tryOut(name, chosen);
}
await services.stop();
console.log(table(outcomes));
const isWhole = !hasFailed && outcomes.every(isKept);
console.log(
  isWhole ? styleText("green", "Every promise holds.") : styleText("red", "A promise does not hold."),
);
process.exit(isWhole ? 0 : 1);

async function tryOut(name: string, faults: readonly Fault[]): Promise<void> {
  const started = Date.now();
  try {
    const workloads = [await sessions(setting.lines), await sliding(setting.lines)];
    outcomes.push(...(await new Trial(name, setting, workloads).run(faults)));
    console.log(`${name}: compared after ${Math.round((Date.now() - started) / 1000)} s.`);
  } catch (thrown) {
    hasFailed = true;
    console.error(`${name} fails: ${thrown instanceof Error ? thrown.message : thrown}`);
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
