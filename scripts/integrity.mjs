// `npm run test:integrity`: sets up, then tries the promises of ARCHITECTURE.md under fire, with real services.
import { join } from "node:path";
import { ensureServices } from "./services.mjs";
import { ensureData, root, run, setUp } from "./setup.mjs";

ensureData();
setUp();
ensureServices();
const program = join(root, "test/integrity/main.ts");
run("node", ["--disable-warning=TimeoutNegativeWarning", program, ...process.argv.slice(2)]);
