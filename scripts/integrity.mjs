// `npm run test:integrity`: sets up, then tries the promises of ARCHITECTURE.md under fire, with real services.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureServices } from "./services.mjs";
import { fail, root, run, setUp } from "./setup.mjs";

const data = process.env.LOGGUARDIAN_DATA ?? join(root, "../shared/data");
if (!existsSync(join(data, "hdfs")))
  fail(`${join(data, "hdfs")} is missing.`, "Set LOGGUARDIAN_DATA to the folder with the labelled logs.");
setUp();
ensureServices();
const program = join(root, "test/integrity/main.ts");
run("node", ["--disable-warning=TimeoutNegativeWarning", program, ...process.argv.slice(2)]);
