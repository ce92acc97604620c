// `npm test`: sets up a bare machine, then type check, lint, import direction, all tests, and the trainer's tests.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureCommands, environment, root, run, setUp } from "./setup.mjs";

ensureCommands({ "c++": "g++", python3: "python3" });
setUp();
run("npm", ["run", "--silent", "check"]);
// The trainer's environment is uv's; uv itself comes from PyPI into a folder of ours where it is not installed.
const uv = findUv();
const env = { ...environment, LOGGUARDIAN_UV: uv, OMP_NUM_THREADS: "1" };
run(uv, ["sync", "--quiet", "--frozen", "--project", "training"]);
run("npx", ["--no", "vitest", "run"], { env });
run(uv, ["run", "--quiet", "--project", "training", "pytest", "-q", "-n", "2", "training/tests"], { env });

function findUv() {
  if (spawnSync("uv", ["--version"], { stdio: "ignore" }).status === 0) return "uv";
  const venv = join(root, "build/uv");
  const own = join(venv, "bin/uv");
  if (spawnSync(own, ["--version"], { stdio: "ignore" }).status !== 0) {
    run("python3", ["-m", "venv", venv]);
    run(join(venv, "bin/pip"), ["install", "--quiet", "uv"]);
  }
  return own;
}
