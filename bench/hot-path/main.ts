// `npm run bench [-- --full] [-- --update] [-- --only NAME]`: what the way from a line to its verdict costs, as ratios.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs, styleText } from "node:util";
import { createProgress } from "../../src/cli/progress.ts";
import { runTrainer } from "../../src/cli/trainer.ts";
import { dataFile, root } from "../../test/support/data.ts";
import { readBaseline, shown, tolerance, updateBaseline, worseThan } from "./baseline.ts";
import { type Figure, isReached, type Measured, threads } from "./figure.ts";
import { measures } from "./measures.ts";

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    update: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    help: { type: "boolean", default: false },
  },
});
const folder = join(root, "build/bench");
const splits = join(folder, "splits");

if (values.help) {
  console.log(help());
  process.exit(0);
}
const unknown = values.only.filter((name) => measures[name] === undefined);
if (unknown.length > 0) {
  console.error(`There is no measure ${unknown.join(", ")}.\n\n${help()}`);
  process.exit(2);
}
const chosen = Object.entries(measures).filter(([name, { isOptional }]) =>
  values.only.length === 0 ? values.full || !isOptional : values.only.includes(name),
);
mkdirSync(folder, { recursive: true });
if (chosen.some(([, { readsSplits }]) => readsSplits)) await writeSplits();

const progress = createProgress();
const figures: Figure[] = [];
const details: Record<string, unknown> = {};
const failed: string[] = [];
console.log(`${"figure".padEnd(28)}${"found".padStart(10)}   asked`);
for (const [name, { about }] of chosen) {
  progress.say(`${name}: ${about} …`);
  const start = performance.now();
  const measured = await measureInOwnProcess(name);
  if (measured === undefined) {
    failed.push(`${name}: not measured`);
    continue;
  }
  figures.push(...measured.figures);
  details[name] = { seconds: (performance.now() - start) / 1000, ...(measured.details as object) };
  for (const figure of measured.figures) console.log(rowOf(figure));
  if (measured.text !== undefined) console.log(measured.text);
  for (const [chart, svg] of Object.entries(measured.charts ?? {}))
    writeFileSync(join(folder, `hot-path-${chart}.svg`), svg);
}
const machine = { processor: cpus()[0]?.model, cores: cpus().length, node: process.version, threads };
writeFileSync(
  join(folder, "hot-path.json"),
  `${JSON.stringify({ machine, full: values.full, figures, details }, undefined, 2)}\n`,
);
console.log(`Rates are by CPU-second, with ${threads} thread. Figures and plots: ${folder}`);

if (values.update) updateBaseline(figures);
const worse = [...failed, ...worseThan(readBaseline(), figures)];
for (const line of worse) console.log(styleText("red", line));
if (worse.length === 0)
  console.log(styleText("green", `As the baseline, or within ${Math.round(100 * (1 - tolerance))} % of it.`));
process.exit(worse.length === 0 ? 0 : 1);

/** @returns nothing where the measure fails, which it says on standard error. */
async function measureInOwnProcess(name: string): Promise<Measured | undefined> {
  const child = fork(join(import.meta.dirname, "one.ts"), [name, splits, ...(values.full ? ["full"] : [])], {
    // As they are: JSON would make null of what is no number.
    serialization: "advanced",
  });
  let measured: Measured | undefined;
  child.on("message", (message) => {
    measured = message as Measured;
  });
  const [code] = await once(child, "close");
  return code === 0 ? measured : undefined;
}

/** The dev parts are drawn anew each time: they are a function of the labelled logs, and take seconds. */
async function writeSplits(): Promise<void> {
  rmSync(splits, { recursive: true, force: true });
  const data = join(dataFile("hdfs"), "..");
  await runTrainer("splits", { data, out: splits }, "the splits");
  if (process.exitCode) process.exit();
}

function rowOf(figure: Figure): string {
  const { name, value, unit, better, asked, note } = figure;
  const found = `${shown(value)}${unit === "times" ? " x" : unit === "ms" ? " ms" : "  "}`.padStart(10);
  const reached = isReached(figure);
  const verdict =
    reached === undefined || asked === undefined
      ? "-"
      : `${better === "higher" ? "at least" : "at most "} ${String(asked).padEnd(7)}${
          reached ? styleText("green", "reached") : styleText("red", "not reached")
        }`;
  return `${name.padEnd(28)}${found}   ${verdict}\n    ${note}`;
}

function help(): string {
  return [
    "npm run bench -- [--full] [--update] [--only NAME …]",
    "",
    "  --full     larger samples: hours of the reference, 10^7 lines, 20,000 batches",
    "  --update   writes what was found into the baseline",
    "  --only     one measure; may be given again",
    "",
    "Measures:",
    ...Object.entries(measures).map(
      ([name, { about, isOptional }]) =>
        `  ${name.padEnd(14)}${about}${isOptional ? " (only where it is named, and in full)" : ""}`,
    ),
  ].join("\n");
}
