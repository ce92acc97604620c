// `npm run test:api`: schemathesis asks the API everything that its document allows, and much that it does not.
// `npm run test:api -- 200` tries more examples of each operation.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startEmbeddedApi } from "./embedded-api.mjs";
import { ensureCommands, environment, fail, findUv, root, setUp } from "./setup.mjs";

const version = "4.32.5";
const [examples = "30"] = process.argv.slice(2);

ensureCommands({ "c++": "g++", python3: "python3" });
setUp();
const token = randomBytes(24).toString("hex");
const api = await startEmbeddedApi({
  LOGGUARDIAN_API_TOKEN: token,
  // What is tried is what the API says, not how often.
  LOGGUARDIAN_API_LIMITS_REQUESTS_PER_MINUTE: "1000000",
});
const schemathesis = ["tool", "run", "--quiet", "--from", `schemathesis==${version}`, "st"];
const config = ["--config-file", join(root, "scripts/schemathesis.toml")];
const options = [
  "--checks",
  "all",
  "--header",
  `Authorization: Bearer ${token}`,
  "--max-examples",
  examples,
  "--no-color",
];
// Where it keeps what it found.
const folder = join(root, "build/schemathesis");
mkdirSync(folder, { recursive: true });
const { status } = spawnSync(
  findUv(),
  [...schemathesis, ...config, "run", `${api.url}/openapi.json`, ...options],
  { cwd: folder, stdio: "inherit", env: environment },
);
const failures = api.failures();
await api.stop();
if (failures.length > 0) fail("The API failed:", failures.join("\n"));
process.exit(status ?? 1);
