// `npm run bench`, `npm run bench:pipeline`: sets up, then measures the way from a line to its verdict, or from a raw topic
// to closed windows on real services.
import { join } from "node:path";
import { ensureServices } from "./services.mjs";
import { ensureCommands, ensureData, environment, fail, findUv, root, run, setUp } from "./setup.mjs";

const [name, ...options] = process.argv.slice(2);
if (name !== "hot-path" && name !== "pipeline") fail("There is no such bench.", "Name hot-path or pipeline.");
ensureCommands({ "c++": "g++", python3: "python3" });
ensureData();
setUp();
if (name === "pipeline") ensureServices();
const program = join(root, "bench", name, "main.ts");
const env = { ...environment, LOGGUARDIAN_UV: findUv() };
run("node", ["--disable-warning=TimeoutNegativeWarning", program, ...options], { env });
