import { spawnSync } from "node:child_process";
import { findUv } from "../../src/uv.ts";
import { root } from "./data.ts";

/** Runs a program of a PyPI package, which uv fetches once: what it printed, and its status. */
export function pythonTool(
  requirement: string,
  program: string,
  args: readonly string[],
  input = "",
): { status: number | null; output: string } {
  const uv = findUv(`${program}, from PyPI's package ${requirement}`);
  const { status, stdout, stderr } = spawnSync(
    uv,
    ["tool", "run", "--quiet", "--from", requirement, program, ...args],
    { cwd: root, encoding: "utf8", input, maxBuffer: 2 ** 26 },
  );
  return { status, output: `${stdout}${stderr}` };
}
