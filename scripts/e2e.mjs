// `npm run e2e:hdfs`, `npm run e2e:bgl`: sets up, then runs the real thing on the labelled logs.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureServices } from "./services.mjs";
import { fail, root, run, setUp } from "./setup.mjs";

const name = process.argv[2];
const data = process.env.LOGGUARDIAN_DATA ?? join(root, "../shared/data");
if (!existsSync(join(data, name)))
  fail(`${join(data, name)} is missing.`, "Set LOGGUARDIAN_DATA to the folder with the labelled logs.");
setUp();
ensureServices();
run("node", ["--disable-warning=TimeoutNegativeWarning", join(root, "test/e2e", `${name}.ts`)]);
