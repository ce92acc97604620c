// `npm run demo`: sets up a fresh clone, then shows LogGuardian at work on a simulated cluster. No server needed.
import { run, setUp } from "./setup.mjs";

setUp();
run("node", ["bin/logguardian.js", "demo", ...process.argv.slice(2)]);
