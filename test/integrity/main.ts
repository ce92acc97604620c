// `npm run test:integrity [-- --quick] [-- --seed N] [-- --only NAME]`: the promises of ARCHITECTURE.md under fire.
import { parseArgs, styleText } from "node:util";
import { startServices } from "../../scripts/services.mjs";
import { broker } from "./broker.ts";
import { crashes } from "./crashes.ts";
import { hostile } from "./hostile.ts";
import { members } from "./members.ts";
import { redisEmptied, redisRestarted } from "./redis.ts";
import type { Setting } from "./setting.ts";
import { stopping } from "./stopping.ts";
import type { Outcome } from "./trial.ts";

const promises = { crashes, hostile, members, stopping, broker, redisRestarted, redisEmptied };
type PromiseName = keyof typeof promises;
const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    seed: { type: "string" },
    only: { type: "string", multiple: true },
  },
});
const names = Object.keys(promises) as PromiseName[];
const chosen = values.only === undefined ? names : names.filter((name) => values.only?.includes(name));
if (chosen.length === 0) {
  console.error(`--only takes ${names.join(", ")}.`);
  process.exit(2);
}
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
console.log(`Seed ${seed}; --seed ${seed} repeats what is drawn, though not its moments.`);
if (values.quick)
  console.log("Quick: 3 faults of each kind instead of 30, 1,000 hostile records instead of 10,000.");

const services = await startServices();
const setting: Setting = {
  services,
  seed,
  quick: values.quick,
  lines: values.quick ? 40_000 : 400_000,
  perSecond: 400,
};
const outcomes: Outcome[] = [];
const failures: unknown[] = [];
for (const name of chosen) {
  if (failures.length > 0) break;
  await tryOut(name);
}
await services.stop();
console.log(table(outcomes));
const isWhole = failures.length === 0 && outcomes.every(isKept);
console.log(
  isWhole ? styleText("green", "Every promise holds.") : styleText("red", "A promise does not hold."),
);
process.exit(isWhole ? 0 : 1);

async function tryOut(name: PromiseName): Promise<void> {
  const started = Date.now();
  try {
    const outcome = await promises[name](setting);
    outcomes.push(outcome);
    const seconds = Math.round((Date.now() - started) / 1000);
    console.log(`${outcome.promise}: ${outcome.faults}; ${seconds} s`);
  } catch (thrown) {
    failures.push(thrown);
    console.error(`${name} fails: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
}

function isKept({ lost, extra, differing, broken = [] }: Outcome): boolean {
  return lost === 0 && extra === 0 && differing === 0 && broken.length === 0;
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
  return [line(columns), ...cells.map(line), ...rows.flatMap(({ broken = [] }) => broken)].join("\n");
}
