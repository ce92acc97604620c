// `npm run screenshots`: the pictures of docs/images, of a real API whose model judges simulated HDFS logs, in a real Chromium.
import { ensureCommands, run, setUp } from "./setup.mjs";

ensureCommands({ chromium: "chromium" });
setUp();
run("node", ["scripts/screenshots/take.ts"]);
