// Brings a fresh clone to where the commands of the README work. Idempotent; the second time takes a moment.
// Runs on any Node from 18 on, before dependencies exist: nothing but Node's own modules here.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "node_modules/.bin");

/** The environment in which the repository's own Node (npm package `node`) comes first. uv trusts whom the system trusts. */
export const environment = {
  UV_SYSTEM_CERTS: "true",
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH ?? ""}`,
};

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

/**
 * On Debian as root installs what is missing; elsewhere goes on in a Debian container, or says what is missing.
 * `wanted`: command, or path of a file -> package.
 */
export function ensureCommands(wanted) {
  const missing = Object.entries(wanted).filter(([command]) => !commandExists(command));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  const commands = missing.map(([command]) => command).join(", ");
  if (process.getuid?.() !== 0 || !commandExists("apt-get")) {
    const engine = ["docker", "podman"].find(answers);
    if (engine !== undefined) goOnInContainer(engine, commands);
    fail(
      `Missing: ${commands}.`,
      `Install the packages ${packages.join(", ")} (Debian's names), or start a container engine, and run this again.`,
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

/** The same npm script in a container in which this is root on Debian; ends this process with its status. */
function goOnInContainer(engine, commands) {
  console.log(`Missing: ${commands}. Going on in a container (${engine}) …`);
  const home = "/logguardian";
  // What is built there is for there: it must not replace what this machine has.
  const own = ["node_modules", "build", "dist", "training/.venv"].flatMap((name) => [
    "--volume",
    `${home}/${name}`,
  ]);
  const data = process.env.LOGGUARDIAN_DATA ?? join(root, "../shared/data");
  const mounted = existsSync(data)
    ? ["--volume", `${resolve(data)}:/data:ro`, "--env", "LOGGUARDIAN_DATA=/data"]
    : [];
  run(engine, [
    ...["run", "--rm", "--volume", `${root}:${home}`, ...own, ...mounted, "--workdir", home],
    ...["node:24-bookworm", "npm", "run", process.env.npm_lifecycle_event ?? "test"],
  ]);
  process.exit(0);
}

function answers(engine) {
  return spawnSync(engine, ["info"], { stdio: "ignore", env: environment }).status === 0;
}

export function commandExists(command) {
  if (command.startsWith("/")) return existsSync(command);
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

/** The trainer's environment is uv's; uv itself comes from PyPI into a folder of ours where it is not installed. */
export function findUv() {
  if (spawnSync("uv", ["--version"], { stdio: "ignore" }).status === 0) return "uv";
  const venv = join(root, "build/uv");
  const own = join(venv, "bin/uv");
  if (spawnSync(own, ["--version"], { stdio: "ignore" }).status !== 0) {
    run("python3", ["-m", "venv", venv]);
    run(join(venv, "bin/pip"), ["install", "--quiet", "uv"]);
  }
  return own;
}

/** Where the labelled logs lie. */
export function ensureData() {
  const data = process.env.LOGGUARDIAN_DATA ?? join(root, "../shared/data");
  if (!existsSync(join(data, "hdfs")))
    fail(`${join(data, "hdfs")} is missing.`, "Set LOGGUARDIAN_DATA to the folder with the labelled logs.");
}
