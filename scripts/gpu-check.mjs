// `npm run gpu-check`: sets up where that is not done, then checks and measures the model on a CUDA GPU.
import { join } from "node:path";
import { root, run, setUp } from "./setup.mjs";

setUp();
run("node", [join(root, "bench/gpu-check.ts"), ...process.argv.slice(2)]);
