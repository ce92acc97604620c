// `npm run bench:pipeline`: sets up, then measures the way from a raw topic to closed windows on real services.
import { join } from "node:path";
import { ensureServices } from "./services.mjs";
import { ensureData, environment, findUv, root, run, setUp } from "./setup.mjs";

ensureData();
setUp();
ensureServices();
const program = join(root, "bench/pipeline/main.ts");
const env = { ...environment, LOGGUARDIAN_UV: findUv() };
run("node", ["--disable-warning=TimeoutNegativeWarning", program, ...process.argv.slice(2)], { env });
