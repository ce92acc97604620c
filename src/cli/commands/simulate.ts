import { writeFile } from "node:fs/promises";
import { LogGuardianError } from "../../errors.ts";
import { simulateHdfs } from "../../simulate/hdfs.ts";
import { parseNumber, parseWhole } from "../arguments.ts";

interface Options {
  rate: string;
  faultRate: string;
  seed: string;
  lines: string;
  labels?: string;
}

export async function simulateCommand(system: string, options: Options): Promise<void> {
  if (system !== "hdfs") {
    throw new LogGuardianError("LG_USAGE", `There is no simulation of ${system}.`, "Simulate hdfs.");
  }
  const simulation = simulateHdfs({
    rate: parseNumber(options.rate, "--rate", 1),
    faultRate: parseNumber(options.faultRate, "--fault-rate", 0, 1),
    seed: parseWhole(options.seed, "--seed", 0),
    lines: parseWhole(options.lines, "--lines", 0),
  });
  let page: string[] = [];
  const write = async () => {
    if (page.length > 0 && !process.stdout.write(`${page.join("\n")}\n`)) {
      await new Promise((resolve) => process.stdout.once("drain", resolve));
    }
    page = [];
  };
  for (const { text } of simulation.lines) {
    if (page.push(text) === 1000) await write();
  }
  await write();
  if (options.labels === undefined) return;
  const rows = [...simulation.labels].map(
    ([block, fault]) => `${block},${fault === null ? "Normal" : "Anomaly"}`,
  );
  await writeFile(options.labels, `BlockId,Label\n${rows.join("\n")}\n`);
}
