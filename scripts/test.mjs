// `npm test`: sets up a bare machine, then type check, lint, import direction, all tests, the trainer's, and the promises under fire.

import { ensureCommands, environment, findUv, run, setUp } from "./setup.mjs";

ensureCommands({ "c++": "g++", python3: "python3", chromium: "chromium" });
setUp();
run("npm", ["run", "--silent", "check"]);
const uv = findUv();
const env = { ...environment, LOGGUARDIAN_UV: uv, OMP_NUM_THREADS: "1" };
run(uv, ["sync", "--quiet", "--frozen", "--project", "training"]);
run("npx", ["--no", "vitest", "run"], { env });
run(uv, ["run", "--quiet", "--project", "training", "pytest", "-q", "-n", "2", "training/tests"], { env });
run("npm", ["run", "--silent", "test:integrity", "--", "--quick"], { env });
