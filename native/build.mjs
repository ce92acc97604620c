// Compiles the addon with the machine's own C++ compiler; seconds, no network. Plain JavaScript for any Node from 18 on.
//   node native/build.mjs             builds if sources changed, fails without a compiler
//   node native/build.mjs --install   npm's install script: a missing compiler is no reason to fail an installation
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const native = dirname(fileURLToPath(import.meta.url));
const root = dirname(native);
const require = createRequire(import.meta.url);
const name = `logguardian-${process.platform}-${process.arch}.node`;

export class MissingCompiler extends Error {}

/** Where the addon is, built if it was not. Throws MissingCompiler, or an Error with the compiler's words. */
export function buildAddon() {
  const compiler = { command: process.env.CXX || findCompiler(), flags: compilerFlags() };
  const sources = readdirSync(join(native, "src"))
    .filter((file) => file.endsWith(".cc"))
    .sort();
  const key = hashOf(sources, compiler.flags);
  for (const folder of folders()) {
    const ready = join(folder, key, name);
    if (existsSync(ready)) return ready;
  }
  if (!compiler.command) throw new MissingCompiler("No C++ compiler was found (c++, g++ or clang++).");
  const folder = join(folders().find(writable) ?? join(tmpdir(), "logguardian"), key);
  mkdirSync(folder, { recursive: true });
  // Built aside and renamed: two processes may build at once, neither sees half a file.
  const aside = join(folder, `${process.pid}.${name}`);
  const result = spawnSync(
    compiler.command,
    [...compiler.flags, ...sources.map((file) => join(native, "src", file)), "-o", aside],
    { encoding: "utf8" },
  );
  if (result.status !== 0) throw new Error(`${compiler.command} failed:\n${result.stderr || result.error}`);
  renameSync(aside, join(folder, name));
  return join(folder, name);
}

function compilerFlags() {
  const includes = [
    join(native, "include/llama.cpp"),
    require("node-api-headers").include_dir,
    dirname(require.resolve("node-addon-api")),
  ].map((folder) => `-I${folder}`);
  return [
    "-std=c++17",
    "-O2",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-DNAPI_VERSION=8",
    "-DNAPI_CPP_EXCEPTIONS",
    ...includes,
    ...(process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : ["-ldl"]),
  ];
}

function findCompiler() {
  return ["c++", "g++", "clang++"].find(
    (name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0,
  );
}

function hashOf(sources, flags) {
  const hash = createHash("sha256").update(JSON.stringify(flags.filter((flag) => !flag.startsWith("-I"))));
  for (const file of sources) hash.update(readFileSync(join(native, "src", file)));
  for (const file of readdirSync(join(native, "src")).filter((file) => file.endsWith(".h"))) {
    hash.update(readFileSync(join(native, "src", file)));
  }
  hash.update(readFileSync(join(native, "include/llama.cpp/VERSION")));
  return hash.digest("hex").slice(0, 16);
}

/** The package's own folder first; where that is read-only, the user's cache. */
function folders() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return [join(root, "build/native"), join(cache, "logguardian/native")];
}

function writable(folder) {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    buildAddon();
  } catch (error) {
    const remedy =
      "Install one (Debian: apt-get install g++; macOS: xcode-select --install); LogGuardian then builds at first use.";
    console.error(error instanceof MissingCompiler ? `${error.message} ${remedy}` : error.message);
    if (!process.argv.includes("--install")) process.exit(1);
  }
}
