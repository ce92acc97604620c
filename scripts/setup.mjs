// Brings a fresh clone to where the commands of the README work. Idempotent; the second time takes a moment.
// Runs on any Node from 18 on, before dependencies exist: nothing but Node's own modules here.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "node_modules/.bin");

/** The environment in which the repository's own Node (npm package `node`) comes first. */
export const environment = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` };

/** Runs a command in the repository with its output shown; ends this process with its status if it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", env: environment, ...options });
  if (result.error?.code === "ENOENT")
    fail(`${command} was not found.`, `Install ${command} and run this again.`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

export function fail(what, remedy) {
  console.error(`${what} ${remedy}`);
  process.exit(1);
}

/** On Debian as root installs what is missing; elsewhere says what is missing. `wanted`: command -> package. */
export function ensureCommands(wanted) {
  const missing = Object.entries(wanted).filter(([command]) => !commandExists(command));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  const commands = missing.map(([command]) => command).join(", ");
  if (process.getuid?.() !== 0 || !commandExists("apt-get")) {
    fail(
      `Missing: ${commands}.`,
      `Install the packages ${packages.join(", ")} (Debian's names) and run this again.`,
    );
  }
  console.log(`Installing ${packages.join(", ")} …`);
  const quiet = {
    env: { ...environment, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "inherit"],
  };
  run("apt-get", ["update", "-q"], quiet);
  run("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...packages], quiet);
}

export function commandExists(command) {
  return spawnSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore", env: environment }).status === 0;
}

/** Dependencies as the lockfile has them, and the native addon. */
export function setUp() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const stamp = join(root, "node_modules/.logguardian-lock");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
    ensureCommands({ "c++": "g++" });
    console.log("Installing dependencies (npm ci) …");
    run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, lock);
  }
  run("node", ["native/build.mjs"]);
}
